"""Words by which exports name our columns, milestones and kinds, in English, Chinese and Portuguese, the commonest in German."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

COLUMN_WORDS: Final[dict[str, str]] = {
    "order_id": "order id|order no|order number|order|order ref|order code|orderno|sales order|so number|name|order sn|"
    "订单号|订单编号|订单id|单号|订单|主订单编号|交易编号|平台单号|原始单号|单据号|单据编号|业务单号|"
    "pedido|numero do pedido|id pedido|número do pedido|cod pedido|"
    "amazon order id|auftragsnummer|bestellnummer|bestell nr|"
    "ord nbr|ord no|order nbr|erp单号|销售单号|销售订单号",
    "channel": "channel|shop|store|platform|sales channel|marketplace|source|渠道|店铺|平台|店铺名称|销售渠道|来源|canal|loja|plataforma|"
    "vertriebsweg|vertriebskanal|kanal",
    "business_type": "business type|biz type|order type|业务类型|订单类型|tipo de negocio",
    "country_code": "country|country code|ship country|shipping country|国家|国家代码|pais|país",
    "province_code": "province|state|region|ship state|shipping province|shipping state|customer state|province code|uf|estado|"
    "省|省份|收货省|收货省份|收货人省份|省市|"
    "bundesland|dest|destination|dest state|dest province|"
    "送达省份|目的省份|送货省份|ship to st|ship to state|dest st",
    "city": "city|town|ship city|shipping city|customer city|城市|市|收货城市|收货市|cidade|municipio|ort|stadt|"
    "送达城市|目的城市|送货城市|ship to city",
    "latitude": "latitude|lat|纬度",
    "longitude": "longitude|lng|lon|经度",
    "warehouse_id": "warehouse|warehouse id|warehouse code|seller id|fulfillment center|location|仓库|仓库编码|发货仓|发货仓库|仓|"
    "armazem|deposito|cd|"
    "wh|wh id|lager|"
    "dc|whse|发货库|出货仓",
    "wave_id": "wave|wave id|wave no|波次|波次号",
    "carrier_id": "carrier|courier|shipping carrier|carrier id|shipping method|logistics company|承运商|快递公司|物流公司|快递|transportadora|"
    "spediteur|versanddienstleister|"
    "scac|carrier code|承运单位|物流商",
    "category": "category|product category|product type|品类|类目|商品类目|分类|categoria|物料组|商品分类|产品组",
    "line_count": "line count|lines|item lines|items|行数|商品行数|itens",
    "quantity": "quantity|qty|units|item count|item qty|数量|件数|商品数量|购买数量|quantidade|qtd|qtde|"
    "宝贝总数量|宝贝数量|商品总数量|总数量|menge|anzahl|"
    "ord qty|订货数量|订购数量|下单数量",
    "delivered_quantity": "delivered quantity|quantity delivered|delivered qty|units delivered|"
    "签收数量|实收数量|妥投数量|gelieferte menge",
    "amount": "amount|total|order amount|order total|total amount|total price|price|grand total|payment value|sales|revenue|"
    "金额|订单金额|总金额|实付金额|应付金额|总价|行金额|明细金额|valor|valor total|total do pedido|valor do pedido|"
    "item price|betrag|gesamtbetrag|summe|"
    "含税金额|价税合计|ext price|extended price|line total",
    "currency": "currency|currency code|币种|货币|moeda",
    "freight_cost": "freight|freight cost|shipping cost|shipping fee|freight value|delivery fee|postage|运费|邮费|快递费|frete|"
    "valor do frete|"
    "shipping price|fracht|versandkosten",
    "customer_tier": "customer tier|customer level|member level|vip|segment|客户等级|会员等级|segmento",
    "priority": "priority|order priority|优先级|紧急程度|prioridade|ship service level|shipping speed",
    "exception_code": "exception|exception code|hold code|hold reason|异常|异常原因|异常类型|挂起原因|ocorrencia",
    "failed_attempt_count": "failed attempts|failed attempt count|delivery attempts failed|派送失败次数|tentativas sem sucesso",
    "promised_ship_at": "promised ship|ship by|promise ship time|latest ship date|ship deadline|承诺发货时间|最晚发货时间|应发货时间|"
    "prazo de envio",
    "promised_at": "promised|promised at|promise|promise time|promised delivery|estimated delivery|"
    "estimated delivery date|eta|due|due date|deliver by|"
    "expected delivery|承诺送达|承诺时间|承诺送达时间|预计送达|预计送达时间|应送达时间|要求到货时间|承诺到货时间|承诺到货|承诺日期|"
    "previsao de entrega|"
    "data prevista|prazo de entrega|entrega prevista|data estimada de entrega|"
    "latest delivery date|zugesagt bis|liefertermin|"
    "计划交货日|计划交货日期|要求交货日期|req dlv dt|requested delivery date|need by date",
    "created_at": "created|created at|create time|creation time|order date|order time|order datetime|ordered|"
    "ordered at|purchase date|purchased|"
    "purchase timestamp|order purchase timestamp|placed|placed at|date|下单时间|创建时间|订单创建时间|下单日期|订单时间|订单日期|拍下时间|"
    "data do pedido|data da compra|criado em|data pedido|compra|"
    "order ts|投诉时间|auftragsdatum|bestelldatum|"
    "ctime|ord dt|order dt|ord date|单据日期|制单日期|制单时间|开单日期|开单时间",
    "paid_at": "paid|paid at|pay time|payment time|payment date|payment at|付款时间|支付时间|付款日期|订单付款时间|data de pagamento|"
    "pago em|data pagamento|"
    "pay ts|zahlungsdatum|bezahlt am",
    "approved_at": "approved|approved at|audit time|approval time|confirmed at|审核时间|审单时间|确认时间|aprovado em|"
    "data de aprovacao|data aprovacao|"
    "审批时间|核准时间",
    "allocated_at": "allocated|allocated at|allocate time|assigned at|分仓时间|分配时间|配货时间|alocado em",
    "accepted_at": "accepted|accepted at|accept time|warehouse accepted|接单时间|仓库接单时间|入仓时间|aceito em",
    "picked_at": "picked|picked at|pick time|picking time|拣货时间|拣货完成时间|separado em|data de separacao",
    "packed_at": "packed|packed at|pack time|packing time|打包时间|包装时间|embalado em",
    "shipped_at": "shipped|shipped at|ship time|ship date|shipping date|dispatched|dispatch date|"
    "delivered carrier date|fulfilled at|sent at|handed over|"
    "发货时间|发货日期|出库时间|揽收时间|enviado em|data de envio|despachado em|data envio|data de despacho|"
    "ship ts|versanddatum|versendet am|"
    "过账时间|发运时间|shp dttm|ship dttm|ship dt",
    "out_for_delivery_at": "out for delivery|out for delivery at|delivering time|派送时间|派件时间|配送时间|saiu para entrega",
    "delivered_at": "delivered|delivered at|delivery time|delivery date|delivered date|signed|signed at|sign time|"
    "received at|delivered customer date|"
    "arrival date|签收时间|送达时间|妥投时间|收货时间|确认收货时间|签收日期|entregue em|data de entrega|data entrega|"
    "deliver ts|配送完成时间|zustelldatum|zugestellt am|lieferdatum|"
    "dlv dttm|delivery dttm|dlv dt",
    "cancelled_at": "cancelled|cancelled at|canceled at|cancel time|cancellation date|取消时间|关闭时间|cancelado em|"
    "data de cancelamento|"
    "cancel ts|订单关闭时间|stornodatum|storniert am",
    "return_requested_at": "return requested|return apply time|refund apply time|退货申请时间|退款申请时间|devolucao solicitada em",
    "returned_at": "returned|returned at|return time|退货时间|退货入库时间|退货完成时间|devolvido em",
    "refunded_at": "refunded|refunded at|refund time|退款时间|退款完成时间|reembolsado em",
    "status": "status|order status|state of order|fulfillment status|订单状态|状态|交易状态|单据状态|situacao|status do pedido|situação|"
    "ord stat|line stat",
    "return_id": "return id|return no|return number|rma|退货单号|退款编号|售后单号|id devolucao|退货单|退货编号|退款单号|"
    "retourennummer|rücksendenummer",
    "complaint_id": "complaint id|complaint no|ticket|ticket id|case id|投诉编号|工单号|投诉单号|id reclamacao|投诉单",
    "kind": "kind|type|reason|return type|complaint type|类型|原因|售后类型|投诉类型|motivo|tipo|诉求|"
    "grund|retourengrund|rückgabegrund",
    "requested_at": "requested|requested at|apply time|申请时间|solicitado em|angemeldet am|anmeldedatum",
    "received_at": "received|received at|goods back|收货时间|退货入库时间|recebido em|eingang lager|wareneingang|eingegangen am",
    "closed_at": "closed|closed at|close time|finished at|resolved at|完结时间|关闭时间|办结时间|encerrado em|"
    "完成时间|处理完成时间|"
    "erledigt am|abgeschlossen am|erstattet am",
    "event_id": "event id|event no|log id|事件编号|流水号",
    "milestone": "milestone|event|event type|activity|event name|step|what|action|事件|节点|操作|环节|evento|atividade",
    "occurred_at": "occurred|occurred at|event time|timestamp|time|ts|happened at|event date|发生时间|操作时间|时间|ocorrido em|"
    "data do evento",
    "system": "system|source system|sys|系统|sistema",
    "actor": "actor|by|operator|user|who|操作人|resource|operador",
    "place": "place|location|site|地点|网点|local",
}
"""Canonical column → words for it, the most telling first."""

STATUS_WORDS: Final[dict[str, str]] = {
    "created": "created|new|pending|open|placed|awaiting payment|unpaid|pending payment|processing payment|on hold|"
    "待付款|等待付款|已下单|待支付|新建|待审核|"
    "criado|novo|aguardando pagamento|pendente|authorized|"
    "等待买家付款|创建|下单|order placed|offen|neu|"
    "草稿",
    "paid": "paid|payment received|awaiting shipment|to ship|unfulfilled|已付款|已支付|待发货|等待发货|买家已付款|pago|pagamento aprovado|"
    "支付|付款|unshipped|payment captured|bezahlt",
    "approved": "approved|confirmed|invoiced|processing|in progress|已审核|审核通过|已确认|处理中|aprovado|confirmado|faturado|"
    "em processamento|"
    "审核",
    "allocated": "allocated|assigned|已分仓|已分配|alocado|分仓",
    "accepted": "accepted|in warehouse|已接单|仓库处理中|aceito|接单|仓库接单",
    "picked": "picked|picking|拣货中|已拣货|separado|em separacao|拣货|拣货完成",
    "packed": "packed|ready to ship|ready|已打包|待出库|embalado|pronto para envio|打包|打包完成",
    "shipped": "shipped|sent|dispatched|in transit|fulfilled|on the way|已发货|运输中|在途|待收货|已出库|卖家已发货|enviado|em transito|despachado|"
    "出库|发货|parcel handed over|versendet|versandt",
    "out_for_delivery": "out for delivery|delivering|派送中|配送中|saiu para entrega|派送",
    "delivered": "delivered|received|已签收|已送达|已妥投|已收货|entregue|"
    "签收|妥投|送达|shipped delivered to buyer|zugestellt|geliefert",
    "completed": "completed|complete|done|finished|closed|success|已完成|交易成功|完成|交易完成|concluido|finalizado|"
    "abgeschlossen",
    "cancelled": "cancelled|canceled|void|voided|rejected|unavailable|expired|已取消|取消|已关闭|交易关闭|已作废|cancelado|indisponivel|"
    "order cancelled|storniert",
    "return_requested": "return requested|returning|refund requested|退货中|退款中|申请退款|devolucao solicitada",
    "returned": "returned|已退货|退货完成|devolvido|retourniert",
    "refunded": "refunded|refund completed|已退款|退款成功|reembolsado|estornado",
}
"""Milestone, or `completed` → words of statuses."""

PERSONAL_WORDS: Final[dict[str, str]] = {
    "name": "receiver|recipient|receiver name|consignee|customer name|收货人|收件人|收货人姓名|收件人姓名|买家姓名|destinatario|nome",
    "phone": "phone|mobile|telephone|phone number|手机|手机号|手机号码|电话|联系电话|收货人手机|收件人电话|telefone|celular|"
    "联系手机|收货手机",
    "address": "address|street|shipping address|address line 1|地址|收货地址|详细地址|收件地址|endereco|endereco de entrega",
}
"""Personal field → words for a column that holds it."""

_DATED: Final = re.compile("(日期|时间|时刻)$")
_ACCENTS: Final = str.maketrans("áàâãéêíóôõúüç", "aaaaeeiooouuc")


def plain_word(text: str) -> str:
    """A header or status as it is compared: lower case, no accents, words parted by one space."""
    parted = re.sub(r"([a-z])([A-Z])", r"\1 \2", text.strip())
    return re.sub(r"[\W_]+", " ", parted.casefold().translate(_ACCENTS)).strip()


def milestone_of(word: str) -> str | None:
    """The milestone (or `completed`) a status word usually means; None when it is not known."""
    wanted = plain_word(word)
    return next((name for name, words in STATUS_WORDS.items() if wanted in _split(words)), None)


def match_columns(headers: Iterable[str], wanted: Iterable[str]) -> dict[str, str]:
    """Canonical column → header, each header once; whole names first, then names that end or begin with a known word."""
    left = {plain_word(header): header for header in headers}
    found: dict[str, str] = {}
    for test in (_is_same, _is_same_time, _is_same_without_unit, _ends_with, _begins_with):
        for name in wanted:
            if name in found:
                continue
            for word in _split(COLUMN_WORDS.get(name) or PERSONAL_WORDS.get(name, "")):
                header = next((plain for plain in left if test(plain, word)), None)
                if header is not None:
                    found[name] = left.pop(header)
                    break
    return found


def _split(words: str) -> list[str]:
    return [plain_word(word) for word in words.split("|") if word]


def _is_same(header: str, word: str) -> bool:
    return header == word


def _is_same_time(header: str, word: str) -> bool:
    """Whether both name the same instant, one as a date or by the clock: 出库日期 is 出库时间."""
    bare = _DATED.sub("", header)
    return bare != header and len(bare) > 1 and bare == _DATED.sub("", word) != word


def _is_same_without_unit(header: str, word: str) -> bool:
    bare = re.sub(
        r" ?(cents?|fen|分|元|yuan|cny|rmb|usd|eur|brl|utc|local|timestamp|datetime|epoch ms|epoch|ts|time|at|on|id|code|no|名称)$",
        "",
        header,
    )
    return bool(bare) and bare == re.sub(r" ?(time|at|id|code|no)$", "", word)


def _ends_with(header: str, word: str) -> bool:
    return (len(word) > 2 and header.endswith(f" {word}")) or (_is_cjk(word) and len(word) > 2 and header.endswith(word))


def _begins_with(header: str, word: str) -> bool:
    return (len(word) > 4 and header.startswith(f"{word} ")) or (_is_cjk(word) and len(word) > 2 and header.startswith(word))


def _is_cjk(word: str) -> bool:
    return any("\u4e00" <= sign <= "\u9fff" for sign in word)
