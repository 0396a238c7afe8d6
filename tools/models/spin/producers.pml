/*
 * Producers: the record that a log keeps of a session instead of each of its publications, while two
 * connections of the session overlap, the record is rebuilt from the log, and forgotten.
 *
 * The code: server/src/log/append-rules.ts, commands/publish.ts, connection/holds.ts;
 * client/src/publishing/outbox.ts. The clauses: PUB-4 to PUB-9, PUB-11, PUB-12, PUB-14, PUB-15.
 *
 * Every option of the one process is a step that happens at once. There is no clock: what time can do is
 * a step with the preconditions that the deadlines give it (see "quiet").
 *
 * Left out: several channels and producers, batches, authorisation beside the application's refusals, and
 * generations beside the fence.
 */

#define IDS         3   /* publications to one channel, in this order */
#define NOBODY      IDS
#define CONNECTIONS 2
#define WINDOW      2
#define NOWS        1   /* refusals for now */
#define GOODS       1   /* refusals for good */
#define QUIETS      1
#define REBUILDS    1
#ifdef LARGE
#define SILENTS     1   /* appends that the broker answers too late */
#define LOSSES      1   /* of the log, with all nodes */
#else
#define SILENTS     0
#define LOSSES      0
#endif

mtype = { waits, acked, refused, indet };
mtype = { ok, later, no, unknown };

/* The client. */
mtype fate[IDS] = waits;
bool told[IDS];       /* told to its application (PUB-11), but the server may wait for it */
bool sent[IDS];       /* may have been appended */
byte firstOn[IDS];    /* the connection of the first send, from 1 */
byte firstLoss[IDS];  /* losses of the log before the first send: what `repeat` says by age and epoch */
bool under[IDS];      /* sent on the newest connection and not answered */
bool old[IDS];        /* too old to be repeated (PUB-6) */
bool excused[IDS];    /* ghost: somebody may truthfully say `indeterminate` of it */
byte next;
bool waiting;       /* refused for now: sends nothing until all is answered */
byte conns;         /* so far */
bool alive[CONNECTIONS];  /* as the client sees them: several while they overlap */

/* On their way: id, repeat, firstLoss, settled. */
chan up[CONNECTIONS] = [IDS] of { byte, bool, byte, byte };
chan down[CONNECTIONS] = [IDS] of { byte, mtype };

/* The nodes. */
bool serves[CONNECTIONS];
byte held[CONNECTIONS] = NOBODY;
chan stuck[CONNECTIONS] = [1] of { byte, bool, byte, byte };  /* in the broker; answered already */

/* The log's record of the producer. */
byte recGen, last, open, floor;    /* open: bits; floor: settled, as applied */
bool conflicts;                    /* MUTANT_NO_FINGERPRINT: what is in open can't be compared */
/* The log itself, of this epoch (ghost for the rebuild). */
byte inLog, logGen, logSettled, logLast;
byte losses, quiets, rebuilds, nows, goods, silents;
byte ever;                         /* ghost: bits, in whatever epoch */
byte sinceAppend;                  /* ghost: bits: first sent after the last append */

byte c, id, rloss, sett, k;
bool rep;
mtype v;

#define CUR (conns - 1)
#define BIT(i) (1 << (i))
#define CONNECTED (conns > 0 && alive[CUR])
#define UNSETTLED(i) (fate[i] == waits || told[i])
/* What was sent above `settled`, whether it is answered or not: answers come in any order. Counted by the
   unanswered alone, `open` would grow beyond the window. */
#ifdef MUTANT_WINDOW_BY_COUNT
#define FLIGHT ((sent[0] && UNSETTLED(0)) + (sent[1] && UNSETTLED(1)) + (sent[2] && UNSETTLED(2)))
#else
#define FLIGHT ((sent[0] && UNSETTLED(0)) + (sent[1] && (UNSETTLED(0) || UNSETTLED(1))) + (sent[2] && (UNSETTLED(0) || UNSETTLED(1) || UNSETTLED(2))))
#endif

inline clear() { c = 0; id = 0; rloss = 0; sett = 0; k = 0; rep = false; v = 0 }

inline anyConn() {
  c = 0;
  do
  :: c + 1 < conns -> c++
  :: break
  od
}

inline settle(i, what) {
  if
  :: fate[i] == waits -> fate[i] = what
  :: else -> skip
  fi;
  told[i] = false; under[i] = false
}

inline sayTo(i, what) {
  if
  :: serves[c] && alive[c] && nfull(down[c]) -> down[c]!i, what
  :: else -> skip
  fi
}

inline drainDown(d) {
  do
  :: nempty(down[d]) -> down[d]?_, _
  :: empty(down[d]) -> break
  od
}

inline endNode(d) {
  serves[d] = false; held[d] = NOBODY;
  do
  :: nempty(up[d]) -> up[d]?_, _, _, _
  :: empty(up[d]) -> break
  od
}

/* What the log knows of a publication; 0: it may be appended. */
inline lookUp() {
  if
  :: c + 1 < recGen -> v = (rep -> unknown : no)
  /* Not sent before, it says, and yet it was: another program, or a counter that began anew. */
  :: c + 1 >= recGen && id < last && !rep -> v = no
  :: c + 1 >= recGen && id < last && rep && (open & BIT(id)) -> v = (conflicts -> no : ok)
  :: c + 1 >= recGen && id < last && rep && !(open & BIT(id)) -> v = (id >= floor && rloss == losses -> no : unknown)
  :: c + 1 >= recGen && id >= last -> v = (rep && rloss != losses -> unknown : 0)
  fi
}

/* Decision and append, with nothing between [PUB-4]. */
inline decide() {
  lookUp();
  if
  :: v == 0 ->
    /* Never twice, never after its client was told that it isn't there, and in its client's order. */
    assert(!(ever & BIT(id)));
    assert(fate[id] != refused);
    assert((inLog >> (id + 1)) == 0);
    inLog = inLog | BIT(id); ever = ever | BIT(id);
    last = id + 1; logLast = last; sinceAppend = 0;
    recGen = c + 1; logGen = recGen;
    floor = (sett > floor -> sett : floor); logSettled = (sett > logSettled -> sett : logSettled);
    open = (open | BIT(id)) & ~(BIT(floor) - 1);
#ifdef MUTANT_CUT
    open = BIT(id);
#endif
    assert((open & 1) + ((open & 2) > 0) + ((open & 4) > 0) <= WINDOW);
    v = ok
  :: else -> skip
  fi
}

active proctype World() {
  do
  /* A new connection; those before may stay for a while (make before break). */
  :: atomic { conns < CONNECTIONS && (!CONNECTED || conns > 0) &&
      (UNSETTLED(0) || UNSETTLED(1) || UNSETTLED(2)) ->
      serves[conns] = true; alive[conns] = true; conns++;
      next = 0; waiting = false; k = 0;
      do
      :: k < IDS ->
#ifndef MUTANT_TOLD_STAYS
        told[k] = false;
#endif
        under[k] = false; k++
      :: else -> break
      od;
      clear() }

  /* The client loses a connection, the newest only while it may have another. What it wrote may
     still arrive. */
  :: atomic { conns > 0 -> anyConn();
      if
      :: alive[c] && (c < CUR || conns < CONNECTIONS) ->
        alive[c] = false; drainDown(c)
      :: else -> skip
      fi;
      clear() }

  /* A node notices. What it hadn't read is gone; or it had read it: then it is on its way above. */
  :: atomic { conns > 0 -> anyConn();
      if
      :: serves[c] && (!alive[c] || c < CUR) -> endNode(c)
      :: else -> skip
      fi;
      clear() }

  /* It sends the next, or gives it up. */
  :: atomic { CONNECTED && !waiting && next < IDS && nfull(up[CUR]) &&
      (fate[next] != waits || under[next] || sent[next] || FLIGHT < WINDOW) ->
      if
      :: fate[next] != waits || under[next] -> skip
      :: fate[next] == waits && !under[next] && sent[next] && old[next] -> settle(next, indet)
      :: else ->
        k = 0;
        do
        :: k < IDS && !UNSETTLED(k) -> k++
        :: else -> break
        od;
        sett = k;
#ifdef MUTANT_SETTLED
        sett = k + 1;
#endif
        if
        :: sent[next] -> up[CUR]!next, true, firstLoss[next], sett
        :: else ->
          up[CUR]!next, false, losses, sett;
          sent[next] = true; firstOn[next] = conns; firstLoss[next] = losses;
          sinceAppend = sinceAppend | BIT(next)
        fi;
        under[next] = true
      fi;
      next++; clear() }

  /* After a refusal for now it sends all again when nothing is under way [PUB-9]. One that is told
     comes again as well. */
  :: atomic { CONNECTED && waiting && !under[0] && !under[1] && !under[2] ->
      waiting = false; next = 0;
      k = 0;
      do
#ifndef MUTANT_TOLD_FOR_EVER
      /* One that is told grows too old as any other, and then isn't sent again. */
      :: k < IDS && told[k] && old[k] -> told[k] = false; k++
      :: k < IDS && told[k] && !old[k] && nfull(up[CUR]) ->
#else
      :: k < IDS && told[k] && nfull(up[CUR]) ->
#endif
        up[CUR]!k, sent[k], firstLoss[k], k; sent[k] = true; under[k] = true; k++
      :: k < IDS && !told[k] -> k++
      :: else -> break
      od;
      clear() }

  /* It hears an answer. From an older connection only an ack counts. */
  :: atomic { conns > 0 -> anyConn();
      if
      :: alive[c] && nempty(down[c]) ->
        down[c]?id, v;
        if
#ifndef MUTANT_OLD_ANSWERS
        :: c < CUR && v != ok -> skip
#endif
        :: c < CUR && v == ok ->
          assert(ever & BIT(id));
          if
          :: fate[id] == waits -> fate[id] = acked; told[id] = under[id]
          :: else -> skip
          fi
        :: c == CUR && v == ok ->
          assert(ever & BIT(id));
          settle(id, acked)
#ifdef MUTANT_OLD_ANSWERS
        :: v == no ->
#else
        :: c == CUR && v == no ->
#endif
          assert(fate[id] != waits || !(ever & BIT(id)));
          settle(id, refused)
#ifdef MUTANT_OLD_ANSWERS
        :: v == unknown ->
#else
        :: c == CUR && v == unknown ->
#endif
          assert(fate[id] != waits || excused[id] || firstLoss[id] != losses);
          settle(id, indet)
        :: c == CUR && v == later ->
          under[id] = false; waiting = true;
          if
          :: firstOn[id] == conns -> sent[id] = false; firstOn[id] = 0; firstLoss[id] = 0
          :: else -> skip
          fi
#ifdef MUTANT_OLD_ANSWERS
        :: c < CUR && v == later -> skip
#endif
        fi
      :: else -> skip
      fi;
      clear() }

  /* It sees its own in the log [PUB-11]. */
  :: atomic { CONNECTED && inLog > 0 ->
      id = 0;
      do
      :: id + 1 < IDS -> id++
      :: break
      od;
      if
      :: (inLog & BIT(id)) && fate[id] == waits ->
        fate[id] = acked; told[id] = (under[id] || waiting)
      :: else -> skip
      fi;
      clear() }

  /* A node takes a publication. */
  :: atomic { conns > 0 -> anyConn();
      if
      :: serves[c] && nempty(up[c]) && empty(stuck[c]) ->
        up[c]?id, rep, rloss, sett;
        if
#ifndef MUTANT_NO_HOLDS
        :: held[c] != NOBODY && held[c] != id -> sayTo(id, later)
#endif
        :: nows < NOWS && (held[c] == NOBODY || held[c] == id) ->
          nows++;
          held[c] = id;
          sayTo(id, later)
        /* The application refuses it for good. A repeat is looked up, and where it isn't found nobody
           knows: a copy of it may still be on its way [PUB-5]. */
        :: goods < GOODS && (held[c] == NOBODY || held[c] == id) ->
          goods++; held[c] = NOBODY;
#ifdef MUTANT_NOT_LOOKED_UP
          v = (rep -> unknown : no);
#else
          if
          :: rep -> lookUp()
          :: else -> v = no
          fi;
          if
          :: v == 0 -> excused[id] = true; v = unknown
          :: else -> skip
          fi;
#ifdef MUTANT_REFUSES_REPEATS
          v = (v == unknown -> no : v);
#endif
#endif
          sayTo(id, v)
        /* The broker keeps silent; it may still do it, or not [PUB-10]. */
        :: silents < SILENTS && (held[c] == NOBODY || held[c] == id) ->
          silents++; held[c] = NOBODY; excused[id] = true;
          sayTo(id, unknown);
          stuck[c]!id, rep, rloss, sett
#ifdef MUTANT_NO_HOLDS
        :: true ->
#else
        :: held[c] == NOBODY || held[c] == id ->
#endif
          held[c] = NOBODY;
          decide();
          sayTo(id, v)
        fi
      :: else -> skip
      fi;
      clear() }

  /* What was stuck happens late, or never. */
  :: atomic { conns > 0 -> anyConn();
      if
      :: nempty(stuck[c]) ->
        stuck[c]?id, rep, rloss, sett;
        if
        :: decide()
        :: skip
        fi
      :: else -> skip
      fi;
      clear() }

  /* The record is made anew from the log (a restart with a disk; a node that takes over the log). */
  :: atomic { rebuilds < REBUILDS && logLast > 0 ->
      rebuilds++;
      recGen = logGen; floor = logSettled;
      open = inLog & ~(BIT(logSettled) - 1);
#ifdef MUTANT_NOT_REBUILT
      last = 0;
#else
      last = logLast;
#endif
#ifdef MUTANT_NO_FINGERPRINT
      conflicts = true;
#endif
      clear() }

  /* Quiet for dedupeMs: the record goes. What was written before the last append has been read or its
     connection ended (heartbeats), what was stuck is over (notAfter); and what was first sent before
     it isn't repeated any more. */
  :: atomic { quiets < QUIETS && last > 0 && empty(stuck[0]) && empty(stuck[CONNECTIONS-1]) &&
#ifndef MUTANT_EARLY_EXPIRY
      empty(up[0]) && empty(up[CONNECTIONS-1]) && 
#endif
      true ->
      quiets++;
      recGen = 0; last = 0; open = 0; floor = 0;
      /* A hold that lasted for that long ends its connection [PUB-12]. */
      k = 0;
      do
      :: k < CONNECTIONS && held[k] != NOBODY -> alive[k] = false; drainDown(k); endNode(k); k++
      :: k < CONNECTIONS && held[k] == NOBODY -> k++
      :: else -> break
      od;
      k = 0;
      do
      :: k < IDS ->
        if
#ifndef MUTANT_EARLY_EXPIRY
        :: sent[k] && !(sinceAppend & BIT(k)) -> old[k] = true; excused[k] = true
#endif
        :: sent[k] && (sinceAppend & BIT(k)) -> old[k] = true; excused[k] = true
        :: sent[k] && (sinceAppend & BIT(k)) -> skip
        :: !sent[k] -> skip
#ifdef MUTANT_EARLY_EXPIRY
        :: sent[k] && !(sinceAppend & BIT(k)) -> skip
#endif
        fi;
        k++
      :: else -> break
      od;
      clear() }

  /* The log is lost. */
  :: atomic { losses < LOSSES ->
      losses++;
      recGen = 0; last = 0; open = 0; floor = 0; conflicts = false;
      inLog = 0; logGen = 0; logSettled = 0; logLast = 0;
      k = 0;
      do
      :: k < CONNECTIONS ->
        alive[k] = false; drainDown(k); endNode(k);
        if
        :: nempty(stuck[k]) -> stuck[k]?_, _, _, _
        :: empty(stuck[k]) -> skip
        fi;
        k++
      :: else -> break
      od;
      clear() }

  /* Nobody waits for ever: connected for good, nothing on its way, nothing to send, and yet something waits. */
  :: atomic { CONNECTED && conns == CONNECTIONS && empty(up[CUR]) && empty(down[CUR]) && empty(stuck[CUR]) &&
      (fate[0] == waits || fate[1] == waits || fate[2] == waits) &&
      ((waiting && (under[0] || under[1] || under[2])) ||
       (!waiting && (next == IDS || (fate[next] == waits && !under[next] && !sent[next] && FLIGHT >= WINDOW)))) ->
      assert(false) }

  /* Done, or out of connections. */
  :: atomic { (!UNSETTLED(0) && !UNSETTLED(1) && !UNSETTLED(2)) || (conns == CONNECTIONS && !alive[CUR]) -> break }
  od
}
