SELECT province_code AS province, count(*) AS order_count
FROM lake.orders
WHERE created_at >= $start AND created_at < $end
GROUP BY ALL
