-- Sign-ups by month, way and source, of all users who still exist.
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
sign_ups AS (
    SELECT
        make_timestamp(CAST(Item ->> '$.at.N' AS BIGINT) * 1000000) AS signed_up,
        coalesce(Item ->> '$.via.S', 'other') AS method,
        -- The host of the page, without `www.`, name and port.
        regexp_extract(
            lower(coalesce(Item ->> '$.source_url.S', '')), '^https?://(?:[^/?#@]*@)?(?:www\.)?([^/?#:]+)', 1
        ) AS host
    FROM items
    WHERE Item ->> '$.pk.S' LIKE 'ID#%'
)
SELECT
    strftime(signed_up, '%Y-%m') AS month,
    method,
    CASE host WHEN '' THEN 'none' ELSE host END AS source,
    count(*) AS sign_ups
FROM sign_ups
GROUP BY month, method, source
ORDER BY month, sign_ups DESC, method, source;
