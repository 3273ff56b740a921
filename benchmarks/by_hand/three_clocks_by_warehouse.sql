WITH arrived AS (
    SELECT warehouse_id AS warehouse, count(*) AS order_count
    FROM lake.orders WHERE created_at >= $start AND created_at < $end GROUP BY ALL
),
waiting AS (
    SELECT warehouse_id AS warehouse, count(*) AS backlog_count
    FROM lake.orders WHERE open_until_at > $now AND created_at <= $now GROUP BY ALL
),
delivered AS (
    SELECT warehouse_id AS warehouse, count(*) AS delivered_count
    FROM lake.orders WHERE delivered_at >= $start AND delivered_at < $end GROUP BY ALL
),
warehouses AS (
    SELECT warehouse FROM arrived UNION SELECT warehouse FROM waiting UNION SELECT warehouse FROM delivered
)
SELECT
    w.warehouse,
    coalesce(order_count, 0) AS order_count,
    coalesce(backlog_count, 0) AS backlog_count,
    coalesce(delivered_count, 0) AS delivered_count
FROM warehouses AS w
LEFT JOIN arrived ON arrived.warehouse IS NOT DISTINCT FROM w.warehouse
LEFT JOIN waiting ON waiting.warehouse IS NOT DISTINCT FROM w.warehouse
LEFT JOIN delivered ON delivered.warehouse IS NOT DISTINCT FROM w.warehouse
