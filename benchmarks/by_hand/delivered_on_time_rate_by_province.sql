-- 512 is the bit of `delivered`: an inferred delivery measures no punctuality.
SELECT
    province_code AS province,
    count(*) FILTER (WHERE counted AND delivered_at <= promised_at) / nullif(count(*) FILTER (WHERE counted), 0)
        AS delivered_on_time_rate,
    count(*) FILTER (WHERE counted) AS delivered_on_time_rate_n
FROM (
    SELECT
        province_code, delivered_at, promised_at,
        inferred_milestones & 512 = 0 AND cancelled_at IS NULL AND promised_at IS NOT NULL AS counted
    FROM lake.orders
    WHERE delivered_at >= $start AND delivered_at < $end
)
GROUP BY ALL
