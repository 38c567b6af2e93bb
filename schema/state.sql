-- The state of one partition. A view of the topic `recipients`: the file may be deleted while the daemon is
-- stopped, it is then built again. Do not write to it: every page and every row carries a checksum.
-- Another shape means another user_version; a file with another one is set aside and built again.
PRAGMA user_version = 1;

-- One row a ground: a reason for which a recipient is suppressed.
CREATE TABLE suppression (
    tenant TEXT NOT NULL,    -- '' where there are no tenants, '*' for what holds for all of them
    recipient TEXT NOT NULL, -- as it stands in the topic's key
    n INTEGER NOT NULL,      -- 0, 1, ... in the order in which they came
    reason TEXT NOT NULL,
    rule TEXT NOT NULL,
    since TEXT NOT NULL,     -- RFC 3339, UTC
    expires TEXT,            -- NULL: never
    evidence TEXT NOT NULL,
    checksum TEXT NOT NULL,
    PRIMARY KEY (recipient, tenant, n)
) STRICT, WITHOUT ROWID;

-- One row for each recipient of whom anything is known.
CREATE TABLE soft_fail (
    tenant TEXT NOT NULL,
    recipient TEXT NOT NULL,
    spelling TEXT NOT NULL,   -- the address as it was last written
    grounds INTEGER NOT NULL, -- how many rows it has in suppression
    days TEXT NOT NULL,       -- days with a soft failure, blanks between
    messages TEXT NOT NULL,   -- day/hash of the message id, blanks between
    first TEXT,               -- first and last soft failure that counts; NULL: none
    last TEXT,
    hard TEXT NOT NULL,       -- reason=day,day for reasons that need several failures
    held_until TEXT,          -- NULL: not held
    recent TEXT NOT NULL,     -- hashes of the last events that changed something
    at TEXT NOT NULL,         -- the partition's clock at the last change
    checksum TEXT NOT NULL,
    PRIMARY KEY (recipient, tenant)
) STRICT, WITHOUT ROWID;

-- How often each rule of a provider fired, for the brake. Empty in this version.
CREATE TABLE brake (
    provider TEXT NOT NULL,
    rule TEXT NOT NULL,
    source_ip TEXT NOT NULL,
    bucket TEXT NOT NULL,
    count INTEGER NOT NULL,
    usual TEXT NOT NULL,
    on_since TEXT,
    checksum TEXT NOT NULL,
    PRIMARY KEY (provider, rule, source_ip)
) STRICT, WITHOUT ROWID;

-- cluster, partition, partitions: whose file this is. place: all records of `recipients` before this offset are in
-- here. at: when the file last stood at that topic's end. rows, sum: the number of rows in the tables above and
-- the sum of their checksums. position: how far the input has been decided. closed: 'no' while a daemon has it.
CREATE TABLE meta (
    key TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL,
    checksum TEXT NOT NULL
) STRICT, WITHOUT ROWID;
