-- 513 are the bits of `created` and `delivered`: an inferred or contradicted instant measures no duration.
SELECT
    carrier_id AS carrier,
    quantile_cont(seconds, 0.5) AS order_cycle_seconds_p50, count(seconds) AS order_cycle_seconds_p50_n,
    quantile_cont(seconds, 0.9) AS order_cycle_seconds_p90, count(seconds) AS order_cycle_seconds_p90_n
FROM (
    SELECT
        carrier_id,
        CASE WHEN (inferred_milestones | impossible_milestones) & 513 = 0
            THEN (epoch_ms(delivered_at) - epoch_ms(created_at)) / 1000.0 END AS seconds
    FROM lake.orders
    WHERE delivered_at >= $start AND delivered_at < $end
)
GROUP BY ALL
