/*
 * Replay meets live: a cursor over a log that grows and is trimmed, on a node that learns of it by
 * pushes which are lost, doubled and out of order; and a subscriber that connects anew.
 *
 * The code: server/src/log.ts (#take, #reread), retained.ts, channel.ts (next, endsAt), cursor.ts;
 * chain of protocol/src/position.ts and what client/src/following/subscription.ts makes of it. The clauses:
 * SUB-1, SUB-4, DEL-2 to DEL-5, FLOW-1.
 *
 * Offsets stand for publications. A page is read from the broker at one moment and used at a later.
 *
 * Left out: epochs, diverged and ahead logs, snapshots, encodings, and several cursors: they share
 * what they are sent, and nothing that could change it.
 */

#ifdef LARGE
#define LAST 4
#else
#define LAST 3    /* publications in all, from 1 */
#endif
#define PAGE 2    /* publications that are read, or sent, at once */
#define RETAINED 2 /* what a node keeps of the end of the log */

mtype = { nothing, page, gap }

/* The broker. */
byte last;            /* offset of the last publication */
byte edge;            /* and of the last one that was trimmed */
bool pushed[LAST + 1];/* pushes under way */
bool doubled;
bool suspects;        /* the node is told that it may have missed something */

/* The node's tail. */
byte tailEdge, tailLast;
byte hole;            /* an offset that it lacks in between: there should be none */
bool rereadAgain;
mtype reread = nothing;    /* what a read for the tail has brought */
byte rereadFrom, rereadTo;

/* The cursor. */
byte position;
bool reading;              /* its read from before the tail isn't used yet */
mtype read = nothing;
byte readFrom, readTo;
bool atEnd;

/* What was sent: from here, right up to there; or a gap. And the subscriber. */
chan wire = [1] of { mtype, byte, byte };
byte received;
bool reconnected;

byte offset, from, to;
mtype kind;

/* The log, as this node knows it, has grown. */
inline grew() {
#ifndef MUTANT_STAYS_AT_END
  /* That there was nothing more isn't true any more, whether it was used yet or not. */
  if
  :: read == page && readTo == position -> read = nothing; readFrom = 0; readTo = 0; reading = false
  :: else -> skip
  fi;
#endif
  atEnd = false
}

inline trimTail() {
  if
  :: tailLast > tailEdge + RETAINED -> tailEdge = tailLast - RETAINED
  :: else -> skip
  fi
}

/* What the broker has after an offset: a page up to readUpTo, or the gap up to the edge. */
inline readAfter(after, what, begin, upTo) {
  begin = after;
  if
#ifdef MUTANT_SKIPS_SILENTLY
  :: after < edge -> what = page; begin = edge; upTo = (edge + PAGE < last -> edge + PAGE : last)
#else
  :: after < edge -> what = gap; upTo = edge
#endif
  :: else -> what = page; upTo = (after + PAGE < last -> after + PAGE : last)
  fi
}

/* Publications, and retention at any time; never all of it, so that there is something to wait for. */
active proctype Log() {
  do
  :: atomic { last < LAST -> last++; pushed[last] = true }
  :: atomic { edge + 1 < last -> edge++ }
  :: edge + 1 == LAST -> break
  od
}

/* Pushes: in any order, doubled, or lost, which the node comes to suspect in the end. */
active proctype Pushes() {
  do
  :: atomic { (pushed[1] || pushed[2] || pushed[3]
#ifdef LARGE
      || pushed[4]
#endif
      ) ->
      if
      :: pushed[1] -> offset = 1
      :: pushed[2] -> offset = 2
      :: pushed[3] -> offset = 3
#ifdef LARGE
      :: pushed[4] -> offset = 4
#endif
      fi;
      if
      :: pushed[offset] = false; suspects = true; to = 0
      :: pushed[offset] = false; to = offset
      :: !doubled -> doubled = true; to = offset
      fi;
      if
      :: to == 0 -> skip
#ifdef MUTANT_NO_CHAIN
      :: to > tailLast -> hole = (to > tailLast + 1 -> to - 1 : hole); tailLast = to; trimTail(); grew()
#else
      :: to == tailLast + 1 -> tailLast = to; trimTail(); grew()
#ifndef MUTANT_DROPS_BROKEN
      :: to > tailLast + 1 -> rereadAgain = true
#endif
#endif
      :: else -> skip
      fi;
      offset = 0; to = 0 }
  :: atomic { suspects -> suspects = false; rereadAgain = true }
  od
}

/* Reads on for the tail, from the last position that is certain. */
active proctype Reread() {
  do
  :: atomic { reread == nothing && rereadAgain ->
      rereadAgain = false;
      readAfter(tailLast, reread, rereadFrom, rereadTo) }
  :: atomic { reread == gap ->
      /* The tail begins anew. */
      if
      :: rereadTo > tailLast -> tailEdge = rereadTo; tailLast = rereadTo
      :: else -> skip
      fi;
      reread = nothing; rereadFrom = 0; rereadTo = 0; rereadAgain = true; grew() }
  :: atomic { reread == page ->
      if
      :: rereadTo > tailLast -> tailLast = rereadTo; trimTail()
      :: else -> skip
      fi;
      /* Behind what was read there may be more, also where pushes have brought that by now. */
#ifndef MUTANT_ONE_PAGE
      rereadAgain = rereadAgain || rereadTo > rereadFrom;
#endif
      reread = nothing; rereadFrom = 0; rereadTo = 0; grew() }
  od
}

#define HOLDS (tailEdge <= position && position <= tailLast)
#define SLICE (position + PAGE < tailLast -> position + PAGE : tailLast)

active proctype Cursor() {
  /* Where the broker says that the start lies, which may be ahead of the tail. */
  atomic {
    if
    :: position = edge
    :: position = last
    fi;
    received = position };
  do
  /* From the tail, where that holds the position: one slice, as far as it goes. */
#ifdef MUTANT_LIVE_AT_ONCE
  :: atomic { empty(wire) && !reading && position < tailLast ->
      from = (position < tailEdge -> tailEdge : position);
      wire!page, from, tailLast; position = tailLast; from = 0 }
#else
  :: atomic { empty(wire) && !reading && !atEnd && HOLDS && position < tailLast ->
      assert(hole <= position || hole > SLICE);
      wire!page, position, SLICE; position = SLICE }
#endif
  :: atomic { empty(wire) && !reading && !atEnd && HOLDS && position == tailLast -> atEnd = true }
  /* From the broker, where the tail doesn't: before it, or where the broker is ahead of it. */
  :: atomic { !reading && !atEnd && !HOLDS && empty(wire) -> reading = true }
  :: atomic { reading && read == nothing -> readAfter(position, read, readFrom, readTo) }
  :: atomic { reading && read == gap && empty(wire) ->
      wire!gap, position, readTo; position = readTo; read = nothing; readFrom = 0; readTo = 0; reading = false }
  :: atomic { reading && read == page && empty(wire) ->
      if
      :: readTo == position -> atEnd = true
      :: else ->
#ifdef MUTANT_PAGES_OVERLAP
        wire!page, (position > 0 -> position - 1 : 0), readTo;
#else
        wire!page, readFrom, readTo;
#endif
        position = readTo
      fi;
      read = nothing; readFrom = 0; readTo = 0; reading = false }
  /* The subscriber connects anew: a new cursor at its position, and what was on its way is lost. */
  :: atomic { !reconnected ->
      reconnected = true;
      if
      :: nempty(wire) -> wire?_, _, _
      :: empty(wire) -> skip
      fi;
#ifdef MUTANT_RESUMES_AHEAD
      skip
#else
      position = received
#endif
      ; reading = false; read = nothing; readFrom = 0; readTo = 0; atEnd = false }
  od
}

active proctype Subscriber() {
  do
  :: atomic { wire?kind, from, to ->
      /* A run without a hole or a repeat, or a gap whose count is true. */
      assert(from == received);
      assert(to > from);
      assert(kind == gap -> to <= edge : to <= last);
      received = to; kind = 0; from = 0; to = 0 }
  od
}

/* Whatever was lost on the way, the end of the log is reached, and stays so. */
ltl catches_up { <> [] (received == LAST) }
