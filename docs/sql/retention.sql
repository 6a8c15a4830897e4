-- Users by the month of their sign-up: how many exist, and how many were active in the last 30 days of the export.
--
-- For DuckDB, over a full export of UserTable in DynamoDB JSON. Set the folder of the export first:
-- SET VARIABLE export = 'AWSDynamoDB/01693685827463-2d8752fd';

-- A file without items may have no byte, and DuckDB takes such a file for a damaged one.
SET VARIABLE files = (
    SELECT list(filename) FROM read_blob(getvariable('export') || '/data/*.json.gz') WHERE size > 0
);
WITH items AS (
    SELECT Item
    FROM read_json(getvariable('files'), format = 'newline_delimited', columns = {'Item': 'JSON'})
),
summary AS (
    SELECT epoch(CAST(exportTime AS TIMESTAMPTZ)) // 86400 AS day
    FROM read_json(getvariable('export') || '/manifest-summary.json', columns = {'exportTime': 'VARCHAR'})
),
users AS (
    SELECT
        make_timestamp(CAST(Item ->> '$.dj.N' AS BIGINT) * 1000000) AS joined,
        -- The later of the last sign-in and the first refresh of a day, in days since 1970.
        greatest(
            CAST(coalesce(Item ->> '$.ll.N', Item ->> '$.dj.N') AS BIGINT) // 86400,
            CAST(coalesce(Item ->> '$.la.N', '0') AS BIGINT)
        ) AS last_active
    FROM items
    WHERE Item ->> '$.pk.S' LIKE 'U#%'
)
SELECT
    strftime(joined, '%Y-%m') AS month,
    count(*) AS users,
    count(*) FILTER (WHERE last_active > summary.day - 30) AS active
FROM users, summary
GROUP BY month
ORDER BY month;
