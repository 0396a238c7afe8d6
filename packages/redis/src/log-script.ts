/**
 * One channel's log as a Lua script, run by Redis as one unit: in its replicas and its append-only file
 * it is whole or absent. The rules are those of `AppendRules`, of which this is the one copy; the fuzz
 * test compares the two. It knows no encoding: a publication's body is bytes.
 *
 * Keys of a channel:
 * - meta, a hash: `e` epoch, `r` replication id, `l` former epochs and where each ended, `o` last offset,
 *   `t` its timestamp, `b` bytes ever added; `f` edge, `i` its id, `g` bytes up to it; `p` when the
 *   period began, `n` which of the two it is, `x` when the keys' expiry was set;
 * - entries, a list of those after the edge: each its timestamp, bytes, id and body, packed. (A stream
 *   takes 4 KiB for the first.)
 * - producers of this period of `dedupeMs` and of the one before, two hashes of packed records:
 *   generation, last, settled, then sequence, offset and fingerprint of each open one.
 * One key is the database's: since when nothing was forgotten in it.
 *
 * The shebang makes Redis refuse the whole script up front where it is out of memory or a replica.
 */
export const LOG_SCRIPT = String.raw`#!lua
local call, floor, max = redis.call, math.floor, math.max
local meta, entries = KEYS[1], KEYS[2]
local operation, retainedMax, bytesMax, maxAgeMs = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local dedupeMs, expiryMs = tonumber(ARGV[5]), tonumber(ARGV[6])
local time = call('TIME')
-- Tests bring their own time.
local now = tonumber(ARGV[7]) or time[1] * 1000 + floor(time[2] / 1000)

local function text(number) return string.format('%.0f', number) end

local changes = {}
local function set(field, value)
  changes[#changes + 1] = field
  changes[#changes + 1] = value
end

local m = call('HMGET', meta, 'e', 'r', 'l', 'o', 't', 'b', 'f', 'i', 'g', 'p', 'n', 'x')
local epoch, lineage = m[1], m[3] or ''
local last, lastTimestamp, bytes = tonumber(m[4] or 0), tonumber(m[5] or 0), tonumber(m[6] or 0)
local edge, edgeId, edgeBytes = tonumber(m[7] or 0), m[8] or '', tonumber(m[9] or 0)
local began, parity, expirySet = tonumber(m[10] or now), tonumber(m[11] or 0), tonumber(m[12] or 0)

-- A new primary may lack what the old one acknowledged, so its history has a name of its own. Both share
-- what lies before.
local replid = string.match(call('INFO', 'replication'), 'master_replid:(%x+)')
if not replid then return redis.error_reply('TAILWIRE INFO replication has no master_replid') end
if m[2] ~= replid then
  if epoch then
    local kept = { epoch .. ':' .. text(last) }
    for former in string.gmatch(lineage, '[^,]+') do
      if #kept < 8 then kept[#kept + 1] = former end
    end
    lineage = table.concat(kept, ',')
  else
    call('DEL', entries, KEYS[3], KEYS[4])
    set('p', text(began))
  end
  epoch = string.sub(redis.sha1hex(replid .. meta .. time[1] .. '.' .. time[2]), 1, 22)
  set('e', epoch)
  set('r', replid)
  set('l', lineage)
end

-- Where a former epoch ended; nil for one that isn't known.
local function endOf(former)
  for name, offset in string.gmatch(lineage, '([^:,]+):(%d+)') do
    if name == former then return tonumber(offset) end
  end
end

-- Timestamp, bytes, id and body of the entry at an offset; nothing where there is none.
local function entryAt(offset)
  if offset <= edge or offset > last then return end
  return cmsgpack.unpack(call('LINDEX', entries, text(offset - edge - 1)))
end

local function idAt(offset)
  if offset == edge then return edgeId end
  local _, _, id = entryAt(offset)
  return id or ''
end

local function trim()
  local from, oldest, size = edge, now - maxAgeMs, 1
  local isDone = edge == last
  while not isDone do
    for _, packed in ipairs(call('LRANGE', entries, text(edge - from), text(edge - from + size - 1))) do
      local timestamp, entryBytes, id = cmsgpack.unpack(packed)
      local isTooMuch = last - edge > retainedMax or (bytes - edgeBytes > bytesMax and edge + 1 ~= last)
      isDone = not isTooMuch and timestamp >= oldest
      if isDone then break end
      edge, edgeId, edgeBytes = edge + 1, id, edgeBytes + entryBytes
    end
    isDone = isDone or edge == last
    size = 32
  end
  if edge == from then return end
  call('LTRIM', entries, text(edge - from), '-1')
  set('f', text(edge))
  set('i', edgeId)
  set('g', text(edgeBytes))
end

-- Writes down what has changed. Keys that nobody uses any more expire.
local function save()
  if now - expirySet >= expiryMs / 8 or now < expirySet then
    set('x', text(now))
    call('HSET', meta, unpack(changes))
    for key = 1, 4 do call('PEXPIRE', KEYS[key], text(expiryMs)) end
  elseif #changes > 0 then
    call('HSET', meta, unpack(changes))
  end
end

local operations = {}

function operations.append()
  -- The producers' clock doesn't go back, and nobody is forgotten early for that.
  local clock = max(now, lastTimestamp)
  local periods = floor((clock - began) / dedupeMs)
  if periods >= 1 then
    if periods == 1 then parity = 1 - parity else call('DEL', KEYS[4 - parity]) end
    call('DEL', KEYS[3 + parity])
    began = began + periods * dedupeMs
    set('p', text(began))
    set('n', parity)
  end
  local period, former = KEYS[3 + parity], KEYS[4 - parity]
  local since = tonumber(call('GET', KEYS[5]))
  if not since then
    since = now
    call('SET', KEYS[5], text(now))
  end
  local producersMax, window = tonumber(ARGV[8]), tonumber(ARGV[9])

  local records, count = {}, nil
  local function recordOf(producer)
    local record = records[producer]
    if record == nil then
      local packed = call('HGET', period, producer)
      local isFormer = not packed
      if isFormer then packed = call('HGET', former, producer) end
      record = packed and { isFormer = isFormer, fields = cmsgpack.unpack(packed) } or false
      records[producer] = record
    end
    return record
  end
  local function mayBeRemembered()
    count = count or call('HLEN', period) + call('HLEN', former)
    return count < producersMax
  end
  -- Fields without the open ones that are settled.
  local function settledBy(fields, settled)
    local kept = { fields[1], fields[2], max(fields[3], settled) }
    for at = 4, #fields, 3 do
      if fields[at] > kept[3] then
        for field = at, at + 2 do kept[#kept + 1] = fields[field] end
      end
    end
    return kept
  end
  local function reachesBackTo(itsSince, itsEpoch)
    if now - itsSince >= dedupeMs then return false end
    return itsSince >= since or itsEpoch == epoch or endOf(itsEpoch) ~= nil
  end

  -- The answer to a producer's entry that isn't to be appended; nil where it may be.
  local function lookUp(fields, generation, sequence, settled, fingerprint, itsSince, itsEpoch)
    if generation < fields[1] then return 'fenced' end
    local isSure = not itsSince or reachesBackTo(itsSince, itsEpoch)
    if sequence > fields[2] then
      if not isSure then return 'indeterminate' end
      local open = 0
      for at = 4, #fields, 3 do if fields[at] > settled then open = open + 1 end end
      return open >= window and 'rate_limited' or nil
    end
    if not itsSince then return 'id_conflict' end
    for at = 4, #fields, 3 do
      if fields[at] == sequence then
        return fields[at + 2] == fingerprint and '=' .. text(fields[at + 1]) or 'id_conflict'
      end
    end
    return isSure and sequence > fields[3] and 'overtaken' or 'indeterminate'
  end

  local results, holding, bodies, lengths, first = { text(now), epoch }, {}, {}, {}, last + 1
  local wasEmpty = edge == last
  for at = 10, #ARGV, 11 do
    local id, size, notAfter, body = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), ARGV[at + 3]
    local producer, generation = ARGV[at + 4], tonumber(ARGV[at + 5])
    local sequence, settled, fingerprint = tonumber(ARGV[at + 6]), tonumber(ARGV[at + 7]), tonumber(ARGV[at + 8])
    local record, result = nil, nil
    if generation then
      if holding[producer] then
        result = 'held'
      else
        record = recordOf(producer)
        result = lookUp(record and record.fields or { 0, 0, 0 }, generation, sequence, settled, fingerprint,
          tonumber(ARGV[at + 9]), ARGV[at + 10])
        if not result and not record and not mayBeRemembered() then result = 'rate_limited' end
      end
    end
    if not result and now > notAfter then result = 'expired' end
    if not result then
      last, bytes, lastTimestamp = last + 1, bytes + size, max(now, lastTimestamp)
      call('RPUSH', entries, cmsgpack.pack(lastTimestamp, size, id, body))
      bodies[#bodies + 1], lengths[#lengths + 1] = body, #body
      result = '+' .. text(last)
      if generation then
        if not record then
          record = { isFormer = false, fields = { 0, 0, 0 } }
          records[producer], count = record, count + 1
        end
        local fields = settledBy(record.fields, settled)
        fields[1], fields[2] = generation, sequence
        for _, field in ipairs({ sequence, last, fingerprint }) do fields[#fields + 1] = field end
        record.fields, record.isChanged = fields, true
      end
    elseif generation and (result == 'rate_limited' or result == 'expired') then
      holding[producer] = true
    end
    results[#results + 1] = result
  end

  local hasProducers = false
  for producer, record in pairs(records) do
    if record and record.isChanged then
      hasProducers = true
      call('HSET', period, producer, cmsgpack.pack(record.fields))
      if record.isFormer then call('HDEL', former, producer) end
    end
  end
  if hasProducers then call('PEXPIRE', period, text(expiryMs)) end
  if #bodies > 0 then
    -- The list is made anew where nothing was retained.
    if wasEmpty then call('PEXPIRE', entries, text(expiryMs)) end
    set('o', text(last))
    set('t', text(lastTimestamp))
    set('b', text(bytes))
  end
  -- Reads trim exactly. Here it is done for many at once.
  if last - edge >= retainedMax + 64 or bytes - edgeBytes > bytesMax * 1.125 then trim() end
  -- A log begins with what is appended: else refused publications could fill Redis with logs.
  if m[1] or #bodies > 0 then save() end
  if #bodies > 0 then
    local head = { epoch, text(first), text(lastTimestamp), table.concat(lengths, ',') }
    call('PUBLISH', meta, table.concat(head, ' ') .. '\n' .. table.concat(bodies))
  end
  return results
end

local function positionAt(offset) return text(offset), idAt(offset) end

-- The gap at a position: its reason, where it ends, and how many are lost in it.
local function gapAt(itsEpoch, offset, id)
  if itsEpoch ~= epoch then
    local ended = endOf(itsEpoch)
    if not ended then return 'epoch', edge end
    if offset > ended then return 'diverged', max(ended, edge) end
  end
  if offset > last then return 'ahead', last end
  if offset < edge then return 'trimmed', edge, edge - offset end
  local known = idAt(offset)
  if id ~= '' and known ~= '' and known ~= id then return 'diverged', edge end
end

-- Adds publications to a result, from an offset in one direction, as many as the page may carry.
local function addPage(result, from, step, countMax, pageBytesMax)
  local used, added, size = 0, 0, math.min(countMax, 32)
  while from > edge and from <= last do
    local index = from - edge - 1
    local first, final = index, index + size - 1
    if step < 0 then first, final = max(0, index - size + 1), index end
    local range = call('LRANGE', entries, text(first), text(final))
    for place = 1, #range do
      local timestamp, entryBytes, _, body = cmsgpack.unpack(range[step > 0 and place or #range + 1 - place])
      used = used + entryBytes
      if added == countMax or used > pageBytesMax and added > 0 then return result end
      for _, field in ipairs({ text(from), text(timestamp), body }) do result[#result + 1] = field end
      added, from = added + 1, from + step
    end
  end
  return result
end

function operations.read()
  trim()
  local itsEpoch, offset, id = ARGV[8], tonumber(ARGV[9]), ARGV[10]
  local reason, to, lost = gapAt(itsEpoch, offset, id)
  local result = { epoch, '', '', '', '' }
  if reason then result = { epoch, reason, lost and text(lost) or '', positionAt(to) } end
  save()
  return addPage(result, (to or offset) + 1, 1, tonumber(ARGV[11]), tonumber(ARGV[12]))
end

function operations.back()
  trim()
  local before, reason, to = tonumber(ARGV[9]), nil, nil
  if before then reason, to = gapAt(ARGV[8], before, ARGV[10]) end
  save()
  -- Nothing is left before what was trimmed, and that is no news to a reader who goes back.
  if reason and reason ~= 'trimmed' then return { epoch, reason, '', positionAt(to) } end
  local from = before and before - 1 or last
  return addPage({ epoch, '', '', '', '' }, from, -1, tonumber(ARGV[11]), tonumber(ARGV[12]))
end

-- The offset before the first publication of a timestamp or a later one.
local function offsetBefore(timestamp)
  local low, high = edge, last
  while low < high do
    local middle = floor((low + high) / 2)
    if entryAt(middle + 1) < timestamp then low = middle + 1 else high = middle end
  end
  return low
end

function operations.locate()
  trim()
  local start, value, offset = ARGV[8], tonumber(ARGV[9]), last
  if start == 'earliest' then offset = edge
  elseif start == 'count' then offset = max(edge, last - value)
  elseif start == 'age' then offset = offsetBefore(now - value) end
  save()
  return { epoch, positionAt(offset) }
end

return operations[operation]()
`;
