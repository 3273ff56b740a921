SELECT region_code AS region, count(*) AS backlog_count
FROM lake.orders
WHERE open_until_at > $now AND created_at <= $now
GROUP BY ALL
