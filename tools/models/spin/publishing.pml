/*
 * Publishing: a publication's way from the outbox into the log, over connections that are lost,
 * and what the client may claim of it in the end.
 *
 * The code: client/src/publishing/outbox.ts; server/src/commands/publish.ts, holds.ts, log.ts (notAfter) and
 * the lookup and append of brokers/memory.ts. The clauses: PUB-4 to PUB-10, PUB-12, PUB-14, MSG-3, LIVE-1.
 *
 * Every option of the one process below is a step that happens at once, as it does in the code; what
 * is awaited lies between two steps. Time moves in ticks.
 *
 * Left out: several channels and producers (nothing is shared between them), contents and
 * id_conflict, the limit of remembered ids, authorisation, batches, and that the
 * application may take a publication back.
 */

#define END    3
#define WRITES 4
#ifdef LARGE
#define CONNECTIONS 3
#else
#define CONNECTIONS 2
#endif
#define FAULTS  1    /* refusals for now, lost answers, restarts: so many together */
#define IDS     2    /* publications to one channel, in this order */
#define DEDUPE  3    /* dedupeMs */
#define APPEND  1    /* appendMs: an append may take that long */
#define WAY     1    /* what was written is read within this, or heartbeats have ended its connection */
#define NOBODY  IDS

/* What became of a publication, as its application is told. */
mtype = { waits, acknowledged, indeterminate }
/* Answers. */
mtype = { ok, later, unknown }

/* The client. */
mtype fate[IDS] = waits;
bool sent[IDS];         /* whether it may have been appended: "first" in the code */
byte sentAt[IDS];       /* of the first send */
byte sentOn[IDS];
byte sentEpoch[IDS];    /* the epoch known then; 0: none */
byte copies[IDS];       /* sent on this connection, and not answered */
byte connections;       /* so far; the newest is the one before that */
bool connected;
byte next;              /* the publication to send next */
byte heardEpoch;

/* Between them, per connection. */
chan up[CONNECTIONS] = [2] of { byte, bool, byte, byte, byte };   /* id, repeat, age, epoch, written at */
chan down[CONNECTIONS] = [2] of { byte, mtype, byte };            /* id, answer, epoch */

/* The nodes, and their calls of the broker: one at a time. */
bool serves[CONNECTIONS];
byte began[CONNECTIONS];
byte held[CONNECTIONS] = NOBODY;
chan calls[CONNECTIONS] = [1] of { byte, bool, byte, byte, byte }; /* id, repeat, age, epoch, taken at */

/* The broker. */
bool known[IDS];
byte knownAt[IDS];
byte epoch = 1;
byte since;             /* since when its memory has forgotten nothing before its time */
byte fence;             /* one above the highest connection that published; 0: none, or forgotten */
byte fenceAt;

byte now;
byte faults;
byte writes;

/* How often each was appended, in whatever epoch: what subscribers may have seen. */
byte appended[IDS];

/* Whether its place is taken: the next one is there [PUB-14]. */
#ifdef MUTANT_NO_SEQUENCE
#define IS_OVERTAKEN false
#else
#define IS_OVERTAKEN (id == 0 && known[1])
#endif

#define CURRENT (connections - 1)

/* Of the step under way. */
byte c, id, age, itsEpoch, at;
bool repeat;
mtype verdict;

inline forgetStep() { c = 0; id = 0; age = 0; itsEpoch = 0; at = 0; repeat = false; verdict = 0 }

inline settle(which, what) {
  fate[which] = what; sent[which] = false; sentAt[which] = 0; sentOn[which] = 0; sentEpoch[which] = 0; copies[which] = 0
}

/* Never more than once; and what was told stays true, whatever is still on its way. */
inline append(which) {
  appended[which]++;
  assert(appended[which] == 1);
  /* Of what its client could tell its application that it certainly isn't in the log, it never is. */
  assert(fate[which] != waits || sent[which]);
  /* In the order in which they were published. */
  assert(which == 0 -> appended[1] == 0 : true);
  known[which] = true; knownAt[which] = now
}

inline answer(which, what) {
  if
  :: serves[c] && connected && c == CURRENT && len(down[c]) < 2 -> down[c]!which, what, epoch
  :: else -> skip
  fi
}

/* Whether a repeat that isn't known was certainly never appended [PUB-5]. */
#ifdef MUTANT_TRUSTS_ITSELF
#define WOULD_KNOW true
#else
#define WOULD_KNOW (age < DEDUPE && (itsEpoch == epoch || now >= since + age))
#endif

/* The age of a repeat grows while it is on its way: by its connection's age, and then in the node. */
#ifdef MUTANT_AGE_AS_WRITTEN
#define ON_ARRIVAL 0
#else
#define ON_ARRIVAL (now - began[c])
#endif
#ifdef MUTANT_AGE_AS_TAKEN
#define IN_THE_NODE 0
#else
#define IN_THE_NODE (now - at)
#endif

/* For which connection: any there is. */
inline anyConnection() {
  c = 0;
  do
  :: c < CURRENT -> c++
  :: break
  od
}

/* Nobody listens any more. */
inline disconnect() {
  connected = false; next = 0; copies[0] = 0; copies[1] = 0;
  c = CURRENT;
  do
  :: len(down[c]) > 0 -> down[c]?_, _, _
  :: len(down[c]) == 0 -> break
  od;
  forgetStep()
}

inline endConnection() {
  serves[c] = false; began[c] = 0; held[c] = NOBODY;
  do
  :: len(up[c]) > 0 -> up[c]?_, _, _, _, _
  :: len(up[c]) == 0 -> break
  od
}

inline restart() {
  if
  :: connected -> disconnect()
  :: else -> skip
  fi;
  /* Ages are rounded up, so what was sent within this tick was sent before. */
  since = now + 1;
  c = 0;
  do
  :: c < connections ->
    endConnection();
    if
    :: len(calls[c]) > 0 -> calls[c]?_, _, _, _, _
    :: len(calls[c]) == 0 -> skip
    fi;
    c++
  :: else -> break
  od
}

active proctype World() {
  do
  /* The client connects, and sends everything again, the oldest first [PUB-9]. */
  :: atomic { !connected && connections < CONNECTIONS && (fate[0] == waits || fate[1] == waits) ->
      serves[connections] = true; began[connections] = now; connections++; connected = true;
      next = 0; copies[0] = 0; copies[1] = 0 }

  /* It sends a publication, or lets it go because the id may be forgotten [PUB-6]. */
  :: atomic { connected && next < IDS && writes < WRITES && len(up[CURRENT]) < 2 ->
      if
      :: fate[next] != waits -> skip
      :: fate[next] == waits && sent[next] && now - sentAt[next] >= DEDUPE - APPEND ->
        settle(next, indeterminate)
      :: else ->
        if
        :: sent[next] -> up[CURRENT]!next, true, now - sentAt[next], sentEpoch[next], now
        :: else ->
          up[CURRENT]!next, false, 0, 0, now;
          sent[next] = true; sentAt[next] = now; sentOn[next] = connections; sentEpoch[next] = heardEpoch
        fi;
        copies[next]++; writes++
      fi;
      next++ }

  /* It hears an answer. */
  :: atomic { connected && len(down[CURRENT]) > 0 ->
      down[CURRENT]?id, verdict, itsEpoch;
      if
      :: fate[id] != waits -> skip
      :: fate[id] == waits && verdict == ok ->
        heardEpoch = itsEpoch;
        assert(appended[id] == 1);
        settle(id, acknowledged)
      :: fate[id] == waits && verdict == unknown -> settle(id, indeterminate)
      :: fate[id] == waits && verdict == later ->
        if
        :: copies[id] > 0 -> copies[id]--
        :: else -> skip
        fi;
        /* Refused here, never sent before, and nothing of it under way: certainly not in the log. The
           code sends none again that is under way, which is one way to keep this. */
#ifdef MUTANT_FORGETS_COPIES
        if
        :: sentOn[id] == connections -> sent[id] = false; sentAt[id] = 0; sentOn[id] = 0; sentEpoch[id] = 0
        :: else -> skip
        fi;
#elif defined(MUTANT_FORGETS_CONNECTIONS)
        if
        :: copies[id] == 0 -> sent[id] = false; sentAt[id] = 0; sentOn[id] = 0; sentEpoch[id] = 0
        :: else -> skip
        fi;
#else
        if
        :: sentOn[id] == connections && copies[id] == 0 -> sent[id] = false; sentAt[id] = 0; sentOn[id] = 0; sentEpoch[id] = 0
        :: else -> skip
        fi;
#endif
        next = 0
      fi;
      forgetStep() }

  /* It loses its connection. What it wrote may still arrive. */
  :: atomic { connected -> disconnect() }

  /* A node takes a publication: it is refused for now, held behind one that was, or handed on. */
  :: atomic { connections > 0 -> anyConnection();
      if
      :: serves[c] && len(up[c]) > 0 && len(calls[c]) == 0 ->
        up[c]?id, repeat, age, itsEpoch, at;
        if
#ifndef MUTANT_NO_HOLDS
        :: held[c] != NOBODY && held[c] != id -> answer(id, later)
#endif
        :: faults < FAULTS && (held[c] == NOBODY || held[c] == id) ->
          faults++;
          held[c] = id;
          answer(id, later)
        /* The application doesn't allow it now, which it may another time: nobody knows whether it did
           before. Or the broker says nothing [PUB-10]. */
        :: faults < FAULTS && (held[c] == NOBODY || held[c] == id) ->
          faults++;
          held[c] = NOBODY;
          answer(id, unknown)
#ifdef MUTANT_NO_HOLDS
        :: true ->
#else
        :: held[c] == NOBODY || held[c] == id ->
#endif
          held[c] = NOBODY;
#ifdef MUTANT_EARLY_ACK
          answer(id, ok);
#endif
          if
          :: repeat -> age = age + ON_ARRIVAL
          :: else -> skip
          fi;
          calls[c]!id, repeat, age, itsEpoch, now
        fi
      :: else -> skip
      fi;
      forgetStep() }

  /* The broker carries out a call; its answer may be lost [PUB-10]. */
  :: atomic { connections > 0 -> anyConnection();
      if
      :: len(calls[c]) > 0 ->
        calls[c]?id, repeat, age, itsEpoch, at;
        age = age + IN_THE_NODE;
        if
        :: now > at + APPEND ->
          held[c] = (serves[c] -> id : NOBODY);
          verdict = later
        :: now <= at + APPEND && c + 1 < fence -> verdict = unknown
#ifndef MUTANT_NO_LOOKUP
        :: now <= at + APPEND && c + 1 >= fence && known[id] -> fence = c + 1; fenceAt = now; verdict = ok
#endif
        :: now <= at + APPEND && c + 1 >= fence && !known[id] && repeat && (!WOULD_KNOW || IS_OVERTAKEN) ->
          fence = c + 1; fenceAt = now; verdict = unknown
        :: else ->
          fence = c + 1; fenceAt = now;
          append(id);
          verdict = ok
        fi;
        if
        :: faults < FAULTS -> faults++; answer(id, unknown)
        :: answer(id, verdict)
        fi
      :: else -> skip
      fi;
      forgetStep() }

  /* A node ends a connection that its client has lost. What it hadn't read is lost. */
  :: atomic { connections > 0 -> anyConnection();
      if
      :: serves[c] && !(connected && c == CURRENT) -> endConnection()
      :: else -> skip
      fi;
      forgetStep() }

  /* Everything restarts: with its logs and ids, or without, which makes a new epoch. */
  :: atomic { faults < FAULTS ->
      faults++; restart(); forgetStep() }
  :: atomic { faults < FAULTS ->
      faults++; restart(); forgetStep();
      known[0] = false; knownAt[0] = 0; known[1] = false; knownAt[1] = 0; fence = 0; fenceAt = 0;
#ifndef MUTANT_KEEPS_EPOCH
      epoch++
#endif
    }

  /* Time passes. Heartbeats end the connections of what wasn't read in time. */
  :: atomic { now < END ->
#ifndef MUTANT_NO_HEARTBEAT
      c = 0;
      do
      :: c < connections ->
        if
        :: len(up[c]) > 0 ->
          up[c]?<id, repeat, age, itsEpoch, at>;
          if
          :: now >= at + WAY -> endConnection()
          :: else -> skip
          fi
        :: else -> skip
        fi;
        c++
      :: else -> break
      od;
#endif
      now++;
      /* The broker forgets ids, and who is out of date, as soon as it may [PUB-4] [PUB-7]. */
      if
      :: fence > 0 && now >= fenceAt + DEDUPE -> fence = 0; fenceAt = 0
      :: else -> skip
      fi;
      id = 0;
      do
      :: id < IDS ->
        if
        :: known[id] && now >= knownAt[id] + DEDUPE -> known[id] = false; knownAt[id] = 0
        :: else -> skip
        fi;
        id++
      :: else -> break
      od;
      forgetStep() }

  :: atomic { now == END -> break }
  od
}
