/*
 * Fencing: several connections of one session, on two nodes, one of which may sleep and go on as if
 * nothing had happened. Who is let in, who is closed, and whose publications are refused.
 *
 * The code: server/src/sessions.ts; commands/publish.ts and log.ts (notAfter); the generations of
 * brokers/memory.ts. The clauses: CONN-6, PUB-7, LIVE-1.
 *
 * A rule that isn't in the code yet, since one node with its own memory doesn't need it: a node that
 * has slept for longer than a nap closes its connections before it reads from them.
 *
 * Every option of the one process below is a step that happens at once. Time moves in ticks, without
 * an end: what is kept of it is how long ago something was, as far as that matters.
 *
 * Left out: what is published (publishing.pml), ids, and what the client makes of its answers.
 */

#ifdef LARGE
#define CONNECTIONS 4
#else
#define CONNECTIONS 3
#endif

#define NODES   2
#define KEEPS   4    /* dedupeMs: how long a fence is kept after it was last heard of */
#define APPEND  1    /* appendMs */
#define WAY     1    /* what was written is read within this, or heartbeats have ended its connection */
#define NAP     1    /* a node that slept longer trusts no socket: WAY + NAP + APPEND < KEEPS */
#define OVERLAP 1    /* overlapMs */
#define NONE    CONNECTIONS

#ifdef MUTANT_SHORT_FENCE
#define FENCED 1
#else
#define FENCED KEEPS
#endif

mtype = { unmade, arriving, open, over }

mtype state[CONNECTIONS] = unmade;
byte generation[CONNECTIONS];
byte node[CONNECTIONS];
bool overlaps[CONNECTIONS];   /* its hello asks for the older one to stay */
byte leftTo[CONNECTIONS];     /* ticks left to one that was superseded while overlapping, from 1; 0: not at all */
byte written[CONNECTIONS];    /* age of what waits to be read, from 1; 0: nothing */
byte taken[CONNECTIONS];      /* the same of a call of the broker */
bool published[CONNECTIONS];  /* each publishes once */

/* The sessions of each node. */
byte current[NODES] = NONE;
byte former[NODES] = NONE;
byte asleep[NODES];           /* for how long, from 1; 0: awake */
bool slept;

/* The broker. */
byte fence;
byte fenceAge;
byte lastGeneration;          /* of the last publication in the log */

byte made;

/* Of the step under way. */
byte c, n, k;

inline anyConnection() {
  c = 0;
  do
  :: c < CONNECTIONS - 1 -> c++
  :: break
  od
}

inline anyNode() {
  if
  :: n = 0
  :: n = 1
  fi
}

inline close(which) {
  if
  :: which != NONE && state[which] == open ->
    state[which] = over; written[which] = 0; leftTo[which] = 0;
    n = node[which];
    if
#ifdef MUTANT_FORGETS_FORMER
    :: current[n] == which -> current[n] = NONE; former[n] = NONE
#else
    :: current[n] == which -> current[n] = former[n]; former[n] = NONE
#endif
    :: former[n] == which -> former[n] = NONE
    :: else -> skip
    fi
  :: else -> skip
  fi
}

/* An age grows as far as anybody asks. */
inline grow(counter, max) {
  if
  :: counter > 0 && counter < max -> counter++
  :: else -> skip
  fi
}

/* What must hold of a node's connections, whatever came in whatever order. */
inline checkSessions() {
  n = 0;
  do
  :: n < NODES ->
    c = 0; k = 0;
    do
    :: c < CONNECTIONS ->
      if
      :: state[c] == open && node[c] == n ->
        k++;
        assert(current[n] != NONE);
        assert(c == current[n] || generation[c] < generation[current[n]])
      :: else -> skip
      fi;
      c++
    :: else -> break
    od;
    assert(k <= 2);
    n++
  :: else -> break
  od
}

inline forgetStep() { checkSessions(); c = 0; n = 0; k = 0 }

active proctype World() {
  do
  /* The client makes a connection, or a tab that has a copy of its secret does. */
  :: atomic { made < CONNECTIONS ->
      c = made; made++; state[c] = arriving;
      if
      :: generation[c] = (c == 0 -> 1 : generation[c - 1] + 1)
      :: c > 0 -> generation[c] = generation[c - 1]
      fi;
      if
      :: c > 0 -> overlaps[c] = true
      :: skip
      fi;
      if
      :: c > 0 -> anyNode(); node[c] = n
      :: else -> skip
      fi;
      forgetStep() }

  /* A hello arrives, early or late. */
  :: atomic { anyConnection();
      if
      :: state[c] == arriving && asleep[node[c]] == 0 ->
        n = node[c]; k = current[n];
        if
        :: k == NONE -> state[c] = open; current[n] = c
#ifndef MUTANT_LAST_WINS
#ifdef MUTANT_CLONES_WIN
        :: k != NONE && generation[c] < generation[k] -> state[c] = over
#else
        :: k != NONE && generation[c] <= generation[k] -> state[c] = over
#endif
#endif
        :: else ->
          state[c] = open;
#ifndef MUTANT_THIRD_STAYS
          close(former[n]);
#endif
          n = node[c];
          former[n] = k; current[n] = c;
          if
          :: overlaps[c] -> leftTo[k] = OVERLAP + 1
          :: else -> close(k)
          fi
        fi;
        overlaps[c] = false
      :: else -> skip
      fi;
      forgetStep() }

  /* A connection is lost, wherever that is noticed first. */
  :: atomic { anyConnection(); close(c); forgetStep() }

  /* The client publishes, on the newest connection it has. */
  :: atomic { made > 0 && state[made - 1] == open && !published[made - 1] ->
      written[made - 1] = 1; published[made - 1] = true }

  /* A node reads it, and calls the broker. */
  :: atomic { anyConnection();
      if
      :: state[c] == open && asleep[node[c]] == 0 && written[c] > 0 && taken[c] == 0 ->
        written[c] = 0; taken[c] = 1
      :: else -> skip
      fi;
      forgetStep() }

  /* The broker carries a call out, early or late, whatever has become of its node. */
  :: atomic { anyConnection();
      if
      :: taken[c] > 0 ->
        if
#ifndef MUTANT_NO_DEADLINE
        :: taken[c] > 1 + APPEND -> skip
#endif
#ifndef MUTANT_NO_FENCE
        :: generation[c] < fence -> skip
#endif
        :: else ->
          fence = generation[c]; fenceAge = 0;
          /* Nothing of an older connection is logged behind what a newer one has published. */
          assert(generation[c] >= lastGeneration);
          lastGeneration = generation[c]
        fi;
        taken[c] = 0
      :: else -> skip
      fi;
      forgetStep() }

  /* A node sleeps, and goes on. */
  :: atomic { !slept -> slept = true; anyNode(); asleep[n] = 1; forgetStep() }
  :: atomic { anyNode();
      if
      :: asleep[n] > 0 ->
        k = asleep[n] - 1; asleep[n] = 0;
#ifndef MUTANT_READS_AFTER_SLEEP
        if
        :: k > NAP -> k = n; close(former[k]); close(current[k])
        :: else -> skip
        fi
#endif
      :: else -> skip
      fi;
      forgetStep() }

  /* Time passes. */
  :: atomic {
      if
      :: fence > 0 -> fenceAge++
      :: else -> skip
      fi;
      if
      :: fence > 0 && fenceAge >= FENCED -> fence = 0; fenceAge = 0
      :: else -> skip
      fi;
      c = 0;
      do
      :: c < CONNECTIONS ->
        grow(taken[c], 2 + APPEND);
        grow(written[c], 2 + WAY);
        if
        :: asleep[node[c]] == 0 && leftTo[c] == 1 -> close(c)
        :: asleep[node[c]] == 0 && written[c] > 1 + WAY -> close(c)
        :: else ->
          if
          :: leftTo[c] > 1 -> leftTo[c]--
          :: else -> skip
          fi
        fi;
        c++
      :: else -> break
      od;
      grow(asleep[0], 2 + NAP);
      grow(asleep[1], 2 + NAP);
      forgetStep() }
  od
}
