-- An order passes a stage at the milestone that names it; the stage opened at the milestone before. Each number is
-- the bits of both: an inferred or contradicted instant measures no duration.
WITH settled AS MATERIALIZED (
    SELECT region_code, business_type, inferred_milestones | impossible_milestones AS unsound,
        created_at, paid_at, approved_at, allocated_at, accepted_at,
        picked_at, packed_at, shipped_at, out_for_delivery_at, delivered_at
    FROM lake.orders WHERE settled_at >= $start
),
passed AS (
    SELECT region_code, business_type, 'paid' AS stage, CASE WHEN unsound & 3 = 0 THEN epoch_ms(paid_at) - epoch_ms(created_at) END AS ms
    FROM settled WHERE paid_at >= $start AND paid_at < $end
    UNION ALL
    SELECT region_code, business_type, 'approved' AS stage, CASE WHEN unsound & 6 = 0 THEN epoch_ms(approved_at) - epoch_ms(paid_at) END AS ms
    FROM settled WHERE approved_at >= $start AND approved_at < $end
    UNION ALL
    SELECT region_code, business_type, 'allocated' AS stage, CASE WHEN unsound & 12 = 0 THEN epoch_ms(allocated_at) - epoch_ms(approved_at) END AS ms
    FROM settled WHERE allocated_at >= $start AND allocated_at < $end
    UNION ALL
    SELECT region_code, business_type, 'accepted' AS stage, CASE WHEN unsound & 24 = 0 THEN epoch_ms(accepted_at) - epoch_ms(allocated_at) END AS ms
    FROM settled WHERE accepted_at >= $start AND accepted_at < $end
    UNION ALL
    SELECT region_code, business_type, 'picked' AS stage, CASE WHEN unsound & 48 = 0 THEN epoch_ms(picked_at) - epoch_ms(accepted_at) END AS ms
    FROM settled WHERE picked_at >= $start AND picked_at < $end
    UNION ALL
    SELECT region_code, business_type, 'packed' AS stage, CASE WHEN unsound & 96 = 0 THEN epoch_ms(packed_at) - epoch_ms(picked_at) END AS ms
    FROM settled WHERE packed_at >= $start AND packed_at < $end
    UNION ALL
    SELECT region_code, business_type, 'shipped' AS stage, CASE WHEN unsound & 192 = 0 THEN epoch_ms(shipped_at) - epoch_ms(packed_at) END AS ms
    FROM settled WHERE shipped_at >= $start AND shipped_at < $end
    UNION ALL
    SELECT region_code, business_type, 'out_for_delivery' AS stage, CASE WHEN unsound & 384 = 0 THEN epoch_ms(out_for_delivery_at) - epoch_ms(shipped_at) END AS ms
    FROM settled WHERE out_for_delivery_at >= $start AND out_for_delivery_at < $end
    UNION ALL
    SELECT region_code, business_type, 'delivered' AS stage, CASE WHEN unsound & 768 = 0 THEN epoch_ms(delivered_at) - epoch_ms(out_for_delivery_at) END AS ms
    FROM settled WHERE delivered_at >= $start AND delivered_at < $end
),
waiting AS (
    SELECT
        region_code, business_type,
        ['paid', 'approved', 'allocated', 'accepted', 'picked', 'packed', 'shipped', 'out_for_delivery', 'delivered'][reached + 1]
            AS stage,
        CASE WHEN unsound & (1 << reached) = 0 THEN epoch_ms($now) - epoch_ms(since) END AS ms
    FROM (
        SELECT
            region_code, business_type, inferred_milestones | impossible_milestones AS unsound,
            CASE
                WHEN out_for_delivery_at IS NOT NULL THEN 8
                WHEN shipped_at IS NOT NULL THEN 7
                WHEN packed_at IS NOT NULL THEN 6
                WHEN picked_at IS NOT NULL THEN 5
                WHEN accepted_at IS NOT NULL THEN 4
                WHEN allocated_at IS NOT NULL THEN 3
                WHEN approved_at IS NOT NULL THEN 2
                WHEN paid_at IS NOT NULL THEN 1
                WHEN created_at IS NOT NULL THEN 0
            END AS reached,
            coalesce(
                out_for_delivery_at, shipped_at, packed_at, picked_at, accepted_at,
                allocated_at, approved_at, paid_at, created_at
            ) AS since
        FROM lake.orders WHERE open_until_at > $now AND created_at <= $now
    )
)
SELECT
    region_code AS region, stage,
    count(*) FILTER (WHERE ms > hours * 3600000) / nullif(count(ms), 0) AS over_limit_rate,
    count(ms) AS over_limit_rate_n
FROM (
    SELECT
        *,
        CASE stage
            WHEN 'paid' THEN CASE business_type WHEN 'b2b' THEN 24 ELSE 1 END
            WHEN 'approved' THEN CASE business_type WHEN 'b2b' THEN 8 ELSE 1 END
            WHEN 'allocated' THEN 1
            WHEN 'accepted' THEN CASE business_type WHEN 'o2o' THEN 0.25 ELSE 2 END
            WHEN 'picked' THEN CASE business_type WHEN 'b2b' THEN 8 WHEN 'o2o' THEN 0.5 ELSE 4 END
            WHEN 'packed' THEN CASE business_type WHEN 'b2b' THEN 6 WHEN 'o2o' THEN 0.25 ELSE 2 END
            WHEN 'shipped' THEN CASE business_type WHEN 'b2b' THEN 12 WHEN 'o2o' THEN 0.5 ELSE 6 END
            WHEN 'out_for_delivery' THEN CASE business_type WHEN 'b2b' THEN 72 WHEN 'o2o' THEN 0.5 ELSE 48 END
            WHEN 'delivered' THEN CASE business_type WHEN 'o2o' THEN 1 ELSE 12 END
        END AS hours
    FROM (FROM passed UNION ALL FROM waiting)
)
GROUP BY ALL
