-- Large enough that nobody wants to make it four times.
CREATE TABLE events (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind text NOT NULL,
  at timestamptz NOT NULL
);
INSERT INTO events (kind, at)
SELECT (ARRAY['view', 'order', 'refund'])[1 + n % 3], timestamptz '2026-01-01' + n * interval '1 minute'
FROM generate_series(1, 200000) AS n;
CREATE INDEX ON events (kind, at);
