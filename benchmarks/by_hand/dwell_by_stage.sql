-- An order passes a stage at the milestone that names it; the stage opened at the milestone before. Each number is
-- the bits of both: an inferred or contradicted instant measures no duration.
WITH settled AS MATERIALIZED (
    SELECT inferred_milestones | impossible_milestones AS unsound,
        created_at, paid_at, approved_at, allocated_at, accepted_at,
        picked_at, packed_at, shipped_at, out_for_delivery_at, delivered_at
    FROM lake.orders WHERE settled_at >= $start
),
passed AS (
    SELECT 'paid' AS stage, CASE WHEN unsound & 3 = 0 THEN epoch_ms(paid_at) - epoch_ms(created_at) END AS ms
    FROM settled WHERE paid_at >= $start AND paid_at < $end
    UNION ALL
    SELECT 'approved' AS stage, CASE WHEN unsound & 6 = 0 THEN epoch_ms(approved_at) - epoch_ms(paid_at) END AS ms
    FROM settled WHERE approved_at >= $start AND approved_at < $end
    UNION ALL
    SELECT 'allocated' AS stage, CASE WHEN unsound & 12 = 0 THEN epoch_ms(allocated_at) - epoch_ms(approved_at) END AS ms
    FROM settled WHERE allocated_at >= $start AND allocated_at < $end
    UNION ALL
    SELECT 'accepted' AS stage, CASE WHEN unsound & 24 = 0 THEN epoch_ms(accepted_at) - epoch_ms(allocated_at) END AS ms
    FROM settled WHERE accepted_at >= $start AND accepted_at < $end
    UNION ALL
    SELECT 'picked' AS stage, CASE WHEN unsound & 48 = 0 THEN epoch_ms(picked_at) - epoch_ms(accepted_at) END AS ms
    FROM settled WHERE picked_at >= $start AND picked_at < $end
    UNION ALL
    SELECT 'packed' AS stage, CASE WHEN unsound & 96 = 0 THEN epoch_ms(packed_at) - epoch_ms(picked_at) END AS ms
    FROM settled WHERE packed_at >= $start AND packed_at < $end
    UNION ALL
    SELECT 'shipped' AS stage, CASE WHEN unsound & 192 = 0 THEN epoch_ms(shipped_at) - epoch_ms(packed_at) END AS ms
    FROM settled WHERE shipped_at >= $start AND shipped_at < $end
    UNION ALL
    SELECT 'out_for_delivery' AS stage, CASE WHEN unsound & 384 = 0 THEN epoch_ms(out_for_delivery_at) - epoch_ms(shipped_at) END AS ms
    FROM settled WHERE out_for_delivery_at >= $start AND out_for_delivery_at < $end
    UNION ALL
    SELECT 'delivered' AS stage, CASE WHEN unsound & 768 = 0 THEN epoch_ms(delivered_at) - epoch_ms(out_for_delivery_at) END AS ms
    FROM settled WHERE delivered_at >= $start AND delivered_at < $end
)
SELECT
    stage,
    quantile_cont(ms / 1000.0, 0.5) AS dwell_seconds_p50, count(ms) AS dwell_seconds_p50_n,
    quantile_cont(ms / 1000.0, 0.9) AS dwell_seconds_p90, count(ms) AS dwell_seconds_p90_n
FROM passed
GROUP BY ALL
