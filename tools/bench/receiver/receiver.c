/*
 * The other end of a benchmark: many WebSockets in one process, which counts what it is sent.
 *
 * It takes commands on standard input, a line each, and answers with a line of JSON. It knows
 * WebSocket framing as far as it must to ask for something, and no protocol on top of it: what it
 * says is given to it, and what it counts is a mark in the bytes.
 *
 *   greet TEXT                    what the next connection says once it is open; empty: nothing
 *   open PORT COUNT PATH SUBPROTOCOL READY
 *                                 opens so many at once, until READY has come on each ("-": none)
 *   ask FIRST COUNT EXPECTED TEXT says it on so many connections, until EXPECTED marks have come
 *   turns FROM EXPECTED MS TEXT   says it on one, until EXPECTED marks have come, over and over
 *   publish FIRST COUNT RATE MS TEXT
 *                                 says it RATE times a second, on one after the other
 *   reset                         counts from zero
 *   gaps                          counts from now on what gaps say is lost, too
 *   report                        says what was counted
 *
 * In TEXT, \n is a new line, %t the time in a mark, %n a number that rises, %cN the same modulo N.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* A mark is "@ and 16 digits: when the publication was sent, in microseconds. */
#define MARK "\"@"
#define MARK_BYTES 18
/* What a gap says is lost: the name and a number of 10 digits at most, in as many bytes as a mark has. */
#define LOST "\"lost\":"
/* What is looked at again with the next bytes, since something may be cut there. */
#define CARRY_BYTES (MARK_BYTES - 1)
#define READ_BYTES 262144
#define TEXT_BYTES 65536
#define CONNECTIONS_MAX 20000
/* Latencies are kept in steps of 10 microseconds, up to 20 seconds. */
#define STEP_US 10
#define STEPS 2000000

enum state { CONNECTING, UPGRADING, OPEN, READY, GONE };

struct connection {
  int fd;
  enum state state;
  char *greeting;
  int carried;
  char carry[CARRY_BYTES];
};

static struct connection connections[CONNECTIONS_MAX];
static int opened, greeted, ready, gone;
static char *greetings[CONNECTIONS_MAX];
static char request[1024], awaited[64];
static int poller;
static int commandsWait, countsGaps;
static uint64_t deliveries, lost, bytes, countedSince, number;
static uint32_t latencies[STEPS];
static char incoming[CARRY_BYTES + READ_BYTES];

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

static double seconds(uint64_t microseconds) { return (double)microseconds / 1e6; }

static double cpuSeconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void fail(const char *what) {
  fprintf(stderr, "receiver: %s: %s\n", what, strerror(errno));
  exit(1);
}

static void answer(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vprintf(format, arguments);
  va_end(arguments);
  putchar('\n');
  fflush(stdout);
}

static void reset(void) {
  deliveries = lost = bytes = 0;
  memset(latencies, 0, sizeof latencies);
  countedSince = now();
}

/* The latency that a share of the deliveries doesn't exceed, in milliseconds. */
static double latency(double share) {
  uint64_t before = 0, counted = 0;
  for (int step = 0; step < STEPS; step++) counted += latencies[step];
  for (int step = 0; step < STEPS; step++) {
    before += latencies[step];
    if (before > 0 && (double)before >= share * (double)counted) return (step + 0.5) * STEP_US / 1e3;
  }
  return 0;
}

/* Saying something */

/* TEXT as it is sent: see above. */
static size_t fill(char *target, const char *text, uint64_t time) {
  char *at = target;
  for (; *text != 0; text++) {
    if (text[0] == '\\' && text[1] == 'n') {
      *at++ = '\n';
      text++;
    } else if (text[0] == '%' && text[1] == 't') {
      at += sprintf(at, "%016llu", (unsigned long long)time);
      text++;
    } else if (text[0] == '%' && text[1] == 'n') {
      at += sprintf(at, "%llu", (unsigned long long)number);
      text++;
    } else if (text[0] == '%' && text[1] == 'c') {
      char *end;
      uint64_t modulus = strtoull(text + 2, &end, 10);
      at += sprintf(at, "%llu", (unsigned long long)(number % modulus));
      text = end - 1;
    } else {
      *at++ = *text;
    }
  }
  number++;
  return (size_t)(at - target);
}

/* One text message, masked with zeros as clients may. False: the socket didn't take it. */
static int say(struct connection *connection, const char *text) {
  static char payload[TEXT_BYTES * 2], message[TEXT_BYTES * 2 + 14];
  size_t length = fill(payload, text, now()), at = 2;
  message[0] = (char)0x81;
  if (length < 126) {
    message[1] = (char)(0x80 | length);
  } else {
    message[1] = (char)(0x80 | (length < 65536 ? 126 : 127));
    int width = length < 65536 ? 2 : 8;
    for (int shift = (width - 1) * 8; shift >= 0; shift -= 8) message[at++] = (char)(length >> shift);
  }
  memset(message + at, 0, 4);
  memcpy(message + at + 4, payload, length);
  ssize_t sent = send(connection->fd, message, at + 4 + length, MSG_NOSIGNAL);
  if (sent > 0 && (size_t)sent < at + 4 + length) fail("a message was cut");
  return sent > 0;
}

/* Hearing something */

static void lose(struct connection *connection) {
  if (connection->state == GONE) return;
  connection->state = GONE;
  close(connection->fd);
  gone++;
}

static void becomeReady(struct connection *connection) {
  connection->state = READY;
  ready++;
}

static void becomeOpen(struct connection *connection) {
  connection->state = OPEN;
  const char *greeting = connection->greeting;
  if (greeting != NULL && *greeting != 0 && !say(connection, greeting)) return lose(connection);
  if (strcmp(awaited, "-") == 0) becomeReady(connection);
}

static void count(const char *from, size_t length) {
  uint64_t arrived = now();
  const char *end = from + length, *mark = from;
  while ((mark = memmem(mark, (size_t)(end - mark), MARK, 2)) != NULL && mark + MARK_BYTES <= end) {
    uint64_t sent = 0;
    for (int digit = 2; digit < MARK_BYTES; digit++) sent = sent * 10 + (uint64_t)(mark[digit] - '0');
    uint64_t step = arrived > sent ? (arrived - sent) / STEP_US : 0;
    latencies[step < STEPS ? step : STEPS - 1]++;
    deliveries++;
    mark += MARK_BYTES;
  }
}

static void countLost(const char *from, size_t length) {
  const char *end = from + length, *mark = from;
  while ((mark = memmem(mark, (size_t)(end - mark), LOST, sizeof LOST - 1)) != NULL &&
         mark + MARK_BYTES <= end) {
    mark += sizeof LOST - 1;
    lost += strtoull(mark, NULL, 10);
  }
}

static void hear(struct connection *connection) {
  memcpy(incoming, connection->carry, (size_t)connection->carried);
  ssize_t got = recv(connection->fd, incoming + connection->carried, READ_BYTES, 0);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) return lose(connection);
  bytes += (uint64_t)got;
  size_t length = (size_t)connection->carried + (size_t)got;
  if (connection->state == UPGRADING && memmem(incoming, length, "\r\n\r\n", 4) != NULL) {
    if (memmem(incoming, length, "1.1 101", 7) == NULL) return lose(connection);
    becomeOpen(connection);
  }
  if (connection->state == OPEN && memmem(incoming, length, awaited, strlen(awaited)) != NULL)
    becomeReady(connection);
  if (connection->state == READY) count(incoming, length);
  if (connection->state == READY && countsGaps) countLost(incoming, length);
  connection->carried = length < CARRY_BYTES ? (int)length : CARRY_BYTES;
  memcpy(connection->carry, incoming + length - connection->carried, (size_t)connection->carried);
}

static void upgrade(struct connection *connection) {
  connection->state = UPGRADING;
  if (send(connection->fd, request, strlen(request), MSG_NOSIGNAL) <= 0) return lose(connection);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
  epoll_ctl(poller, EPOLL_CTL_MOD, connection->fd, &event);
}

/* Takes what has come, waiting for it so many milliseconds at most. */
static void pump(int ms) {
  static struct epoll_event events[512];
  int happened = epoll_wait(poller, events, 512, ms);
  for (int index = 0; index < happened; index++) {
    struct connection *connection = events[index].data.ptr;
    if (connection == NULL) commandsWait = 1;
    else if (connection->state == CONNECTING) upgrade(connection);
    else if (connection->state != GONE) hear(connection);
  }
}

/* Commands */

static void begin(int port) {
  struct connection *connection = &connections[opened];
  connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (connection->fd < 0) fail("socket");
  int on = 1;
  setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(connection->fd, (struct sockaddr *)&address, sizeof address) < 0 &&
      errno != EINPROGRESS)
    fail("connect");
  connection->greeting = greetings[opened];
  opened++;
  struct epoll_event event = {.events = EPOLLOUT, .data.ptr = connection};
  if (epoll_ctl(poller, EPOLL_CTL_ADD, connection->fd, &event) < 0) fail("epoll");
}

static void openConnections(const char *arguments) {
  int port, wanted;
  char path[256], subprotocol[256];
  if (sscanf(arguments, "%d %d %255s %255s %63s", &port, &wanted, path, subprotocol, awaited) != 5)
    fail("open");
  int offered = strcmp(subprotocol, "-") != 0;
  sprintf(request,
          "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
          "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s%s%s\r\n",
          path, port, offered ? "Sec-WebSocket-Protocol: " : "", offered ? subprotocol : "",
          offered ? "\r\n" : "");
  int readyBefore = ready, goneBefore = gone;
  uint64_t began = now(), until = began + 30000000;
  for (int index = 0; index < wanted; index++) {
    begin(port);
    if (index % 16 == 15) pump(0);
  }
  while (ready - readyBefore + gone - goneBefore < wanted && now() < until) pump(100);
  answer("{\"ready\":%d,\"gone\":%d,\"seconds\":%.6f}", ready - readyBefore, gone - goneBefore,
         seconds(now() - began));
}

/* Until so many marks have come, or nothing more comes. */
static void awaitDeliveries(uint64_t expected) {
  uint64_t heard = bytes, quietSince = now();
  while (deliveries < expected) {
    pump(100);
    if (bytes != heard) quietSince = now();
    heard = bytes;
    if (now() - quietSince > 5000000) return;
  }
}

static void ask(const char *arguments) {
  int first, wanted, from;
  unsigned long long expected;
  if (sscanf(arguments, "%d %d %llu %n", &first, &wanted, &expected, &from) != 3) fail("ask");
  reset();
  uint64_t began = now();
  for (int index = first; index < first + wanted; index++) {
    say(&connections[index], arguments + from);
    if (index % 16 == 15) pump(0);
  }
  awaitDeliveries(expected);
  answer("{\"deliveries\":%llu,\"bytes\":%llu,\"seconds\":%.6f}", (unsigned long long)deliveries,
         (unsigned long long)bytes, seconds(now() - began));
}

static void turns(const char *arguments) {
  int from, at;
  unsigned long long expected, ms, done = 0;
  if (sscanf(arguments, "%d %llu %llu %n", &at, &expected, &ms, &from) != 3) fail("turns");
  reset();
  uint64_t began = now();
  while (now() - began < ms * 1000 && deliveries == done * expected) {
    say(&connections[at], arguments + from);
    done++;
    awaitDeliveries(done * expected);
  }
  answer("{\"deliveries\":%llu,\"bytes\":%llu,\"turns\":%llu,\"seconds\":%.6f}",
         (unsigned long long)deliveries, (unsigned long long)bytes, done, seconds(now() - began));
}

static void publish(const char *arguments) {
  int first, wanted, from;
  unsigned long long rate, ms, sent = 0, refused = 0;
  if (sscanf(arguments, "%d %d %llu %llu %n", &first, &wanted, &rate, &ms, &from) != 4)
    fail("publish");
  uint64_t began = now();
  while (sent * 1000000 / rate < ms * 1000) {
    uint64_t due = began + sent * 1000000 / rate;
    struct timespec until = {.tv_sec = (time_t)(due / 1000000), .tv_nsec = (long)(due % 1000000 * 1000)};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    pump(0);
    if (!say(&connections[first + (int)(sent % (unsigned)wanted)], arguments + from)) refused++;
    sent++;
  }
  answer("{\"sent\":%llu,\"refused\":%llu,\"seconds\":%.6f}", sent, refused, seconds(now() - began));
}

static void carryOut(char *line) {
  if (strncmp(line, "greet ", 6) == 0) greetings[greeted++] = strdup(line + 6);
  else if (strncmp(line, "open ", 5) == 0) openConnections(line + 5);
  else if (strncmp(line, "ask ", 4) == 0) ask(line + 4);
  else if (strncmp(line, "turns ", 6) == 0) turns(line + 6);
  else if (strncmp(line, "publish ", 8) == 0) publish(line + 8);
  else if (strcmp(line, "reset") == 0) {
    reset();
    answer("{}");
  } else if (strcmp(line, "gaps") == 0) {
    countsGaps = 1;
  } else if (strcmp(line, "report") == 0) {
    answer("{\"deliveries\":%llu,\"lost\":%llu,\"bytes\":%llu,\"seconds\":%.6f,\"p50Ms\":%.3f,\"p99Ms\":%.3f,"
           "\"gone\":%d,\"cpuSeconds\":%.6f}",
           (unsigned long long)deliveries, (unsigned long long)lost, (unsigned long long)bytes,
           seconds(now() - countedSince), latency(0.5), latency(0.99), gone, cpuSeconds());
  } else {
    fail(line);
  }
}

/* Carries out the whole lines that have come. False: there will be no more. */
static int readCommands(void) {
  static char input[TEXT_BYTES * 4];
  static size_t used;
  ssize_t got = read(STDIN_FILENO, input + used, sizeof input - used - 1);
  if (got <= 0) return 0;
  used += (size_t)got;
  char *line = input, *end;
  while ((end = memchr(line, '\n', used - (size_t)(line - input))) != NULL) {
    *end = 0;
    carryOut(line);
    line = end + 1;
  }
  used -= (size_t)(line - input);
  memmove(input, line, used);
  return 1;
}

int main(void) {
  poller = epoll_create1(0);
  struct epoll_event commands = {.events = EPOLLIN, .data.ptr = NULL};
  if (epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &commands) < 0) fail("epoll");
  for (;;) {
    pump(-1);
    if (commandsWait && !readCommands()) return 0;
    commandsWait = 0;
  }
}
