-- Cancelled before the promise: nothing was due. 1024 is the bit of `cancelled`: then nobody knows when.
SELECT
    region_code AS region,
    count(*) FILTER (WHERE due AND delivered_at <= promised_at) / nullif(count(*) FILTER (WHERE due), 0) AS on_time_rate,
    count(*) FILTER (WHERE due) AS on_time_rate_n
FROM (
    SELECT
        region_code, delivered_at, promised_at,
        cancelled_at IS NULL OR (inferred_milestones & 1024 = 0 AND cancelled_at >= promised_at) AS due
    FROM lake.orders
    WHERE promised_at >= $start AND promised_at < $end
)
GROUP BY ALL
