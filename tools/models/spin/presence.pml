/*
 * Presence: one member of a channel, leased to its session and generation, over connections that
 * are lost, half open, and made anew, while what nodes ask of the broker may be carried out late.
 *
 * There is no code yet: this is the design of PRES-1. Its rules are
 *  - entering, and each beat of the connection's node, leases the member to (session, generation);
 *    a beat that finds the member gone enters it again;
 *  - what a lower generation asks does nothing, and neither does it after a higher one has left:
 *    the broker keeps the generation for as long as anything older can still come;
 *  - a connection that is lost takes nobody along: its lease runs out;
 *  - whoever finds a lease over ends it and tells so in one step.
 *
 * Every option of the one process below is a step that happens at once. Time moves in ticks, without
 * an end: what is kept of it is how long ago something was, as far as that matters.
 *
 * Left out: other members, a member's own data, several sessions of one user, and how joins and
 * leaves reach subscribers: they are publications, which replay.pml is about.
 */

#ifdef LARGE
#define CONNECTIONS 4
#else
#define CONNECTIONS 3    /* of the session, one after another: the generation is one more than the index */
#endif

#define LEASE  2    /* ticks that a beat is good for */
#define APPEND 1    /* a call of the broker is carried out within this, or not at all */
#define WAY    1    /* a connection that its client has lost is ended within this */
#ifdef MUTANT_KEPT_TOO_SHORT
#define KEPT   (WAY + APPEND)
#else
#define KEPT   (WAY + APPEND + 2)         /* how long the generation of one who left is kept */
#endif
#define SEEN   (WAY + APPEND + LEASE + 1) /* how long one may be shown who isn't there any more */

mtype = { none, enter, beat, leave }

/* The client. */
byte made;
bool alive;                /* its newest connection stands */
bool wants;                /* to be there */

/* The nodes. */
bool open[CONNECTIONS];
byte lost[CONNECTIONS];    /* how long its client has lost it, from 1; 0: it hasn't */
bool entered[CONNECTIONS];
mtype asked[CONNECTIONS] = none;
byte askedFor[CONNECTIONS];/* how long ago, from 1 */

/* The broker. */
bool present;
byte generation;
byte lease;                /* ticks left */
byte kept;                 /* of a generation without a member */

/* A node that found the lease over, and hasn't ended it yet: only where that takes two steps. */
bool ending[2];

/* Who follows the channel. */
bool shown;
byte gone;                 /* ticks since the member was there */
byte missing;              /* ticks that it has been there without being shown */
bool left;                 /* the newest connection has left, and nobody entered since */

byte c, n;

#define NEWEST (made - 1)

inline anyConnection() {
  c = 0;
  do
  :: c < CONNECTIONS - 1 -> c++
  :: break
  od
}

inline ask(which, what) { asked[which] = what; askedFor[which] = 1 }

inline join() {
  assert(!shown);     /* no double join */
  assert(!left);      /* and none after it has left */
  shown = true; present = true
}

inline part() {
  assert(shown);      /* no double leave */
  shown = false; present = false; lease = 0; kept = KEPT
}

inline carryOut() {
  if
#ifndef MUTANT_ANY_GENERATION
  :: c + 1 < generation -> skip
#endif
#ifdef MUTANT_ANY_GENERATION
  :: asked[c] == leave ->
#else
  :: c + 1 >= generation && asked[c] == leave ->
#endif
    generation = c + 1;
    /* It isn't taken away from a later connection that has entered. */
    assert(!(alive && wants && entered[NEWEST] && c < NEWEST && asked[NEWEST] == none && present));
    left = left || c == NEWEST;
    if
    :: present -> part()
    :: else -> kept = KEPT
    fi;
#ifdef MUTANT_FORGETS_GENERATION
    generation = 0; kept = 0
#endif
#ifdef MUTANT_BEATS_DONT_RENEW
  :: c + 1 >= generation && asked[c] == beat -> skip
#endif
  :: else ->
    generation = c + 1; lease = LEASE; kept = 0;
    if
    :: present -> skip
    :: else -> join()
    fi
  fi
}

inline age(counter, max) {
  if
  :: counter > 0 && counter < max -> counter++
  :: else -> skip
  fi
}

active proctype World() {
  do
  /* The client connects, and asserts itself again where it wants to be there. */
  :: atomic { !alive && made < CONNECTIONS ->
      open[made] = true; alive = true; made++;
      if
      :: wants -> left = false; gone = 0; missing = 0; entered[NEWEST] = true; ask(NEWEST, enter)
      :: else -> skip
      fi }

  /* It enters, and leaves. */
  :: atomic { alive && !wants && asked[NEWEST] == none ->
      wants = true; left = false; gone = 0; missing = 0; entered[NEWEST] = true; ask(NEWEST, enter) }
  :: atomic { alive && wants && asked[NEWEST] == none ->
      wants = false; entered[NEWEST] = false; ask(NEWEST, leave) }
  /* It changes its mind while it is away. */
  :: atomic { !alive && wants -> wants = false }

  /* It loses its connection, and the node notices later. */
  :: atomic { alive -> alive = false; lost[NEWEST] = 1 }
  :: atomic { anyConnection();
      if
      :: open[c] && lost[c] > 0 ->
        open[c] = false; lost[c] = 0; entered[c] = false
      :: else -> skip
      fi;
      c = 0 }

  /* A node beats for a connection that has entered. */
  :: atomic { anyConnection();
      if
      :: open[c] && entered[c] && asked[c] == none -> ask(c, beat)
      :: else -> skip
      fi;
      c = 0 }

  /* The broker carries out what was asked, or it was too late. */
  :: atomic { anyConnection();
      if
      :: asked[c] != none ->
        if
        :: askedFor[c] > 1 + APPEND -> skip
        :: else -> carryOut()
        fi;
        asked[c] = none; askedFor[c] = 0
      :: else -> skip
      fi;
      c = 0 }

#ifdef MUTANT_SWEEPS_IN_TWO
  /* A node finds the lease over, and tells so later. */
  :: atomic { present && lease == 0 && (!ending[0] || !ending[1]) ->
      if
      :: !ending[0] -> ending[0] = true
      :: else -> ending[1] = true
      fi }
  :: atomic { ending[0] -> ending[0] = false; part() }
  :: atomic { ending[1] -> ending[1] = false; part() }
#endif

  /* Time passes, once the calls of the connection that stands have been carried out. */
  :: atomic { !(alive && asked[NEWEST] != none && askedFor[NEWEST] > APPEND) ->
      if
      :: lease > 0 -> lease--
      :: else -> skip
      fi;
#if !defined(MUTANT_SWEEPS_IN_TWO) && !defined(MUTANT_NO_SWEEP)
      if
      :: present && lease == 0 -> part()
      :: else -> skip
      fi;
#endif
      if
      :: kept > 1 -> kept--
      :: kept == 1 -> kept = 0; generation = 0
      :: else -> skip
      fi;
      c = 0;
      do
      :: c < CONNECTIONS ->
        age(askedFor[c], 2 + APPEND);
        age(lost[c], 2 + WAY);
        if
        :: lost[c] > 1 + WAY -> open[c] = false; lost[c] = 0; entered[c] = false
        :: lost[c] <= 1 + WAY && open[c] && entered[c] && asked[c] == none -> ask(c, beat)
        :: else -> skip
        fi;
        c++
      :: else -> break
      od;
      c = 0;
      if
      :: alive && wants -> gone = 0; missing = (shown -> 0 : missing + 1)
      :: else -> gone = (shown -> gone + 1 : 0); missing = 0
      fi;
      /* No ghosts; and whoever is there is shown. */
      assert(gone <= SEEN);
      assert(missing <= 2 + APPEND) }
  od
}
