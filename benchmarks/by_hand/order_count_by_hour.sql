SELECT date_trunc('hour', created_at) AS bucket_at, count(*) AS order_count
FROM lake.orders
WHERE created_at >= $start AND created_at < $end
GROUP BY ALL
