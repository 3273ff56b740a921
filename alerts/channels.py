"""The channels: one function each, from a message and the receiver's settings to a verdict read from the answer's body.

To add one, add a function and its fields; the contract test asks for a server that answers like the real one.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import smtplib
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from email.message import EmailMessage
from typing import Any, Final
from urllib.parse import urlencode

from alerts.delivery import Delivery, Line, Post, by_status, cut
from alerts.destination import Answer, DeliveryError, DestinationError, post
from alerts.long_tail import send_by_apprise
from alerts.mail import mail_connection

Send = Callable[[Post, Mapping[str, Any], Line], Delivery]


def _in_app(message: Post, settings: Mapping[str, Any], line: Line) -> Delivery:
    """The book itself is what the interface shows: there is nothing to carry."""
    return Delivery(outcome="sent")


def _email(message: Post, settings: Mapping[str, Any], line: Line) -> Delivery:
    mail = EmailMessage()
    mail["Subject"] = " ".join(message.title.split())[:200]
    mail["From"], mail["To"] = settings["sender"], ", ".join(settings["to"])
    mail["Message-ID"] = f"<{message.id}@{str(settings['sender']).rpartition('@')[2] or 'control-room'}>"
    mail.set_content("\n".join(message.lines) + "\n")
    security, host, port = settings.get("security", "starttls"), settings["host"], int(settings.get("port", 587))
    password = line.secret(settings, "password") if settings.get("user") else ""
    try:
        with mail_connection(host, port, timeout=line.timeout, is_tls=security == "tls") as client:
            if security == "starttls":
                client.starttls(context=ssl.create_default_context())
            if settings.get("user"):
                client.login(str(settings["user"]), password)
            refused = client.send_message(mail)
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        return Delivery(outcome="never" if all(code >= 500 for code in codes) else "later", detail=f"refused: {codes}")
    except smtplib.SMTPResponseException as error:
        return Delivery(outcome="never" if error.smtp_code >= 500 else "later", detail=f"the mail server said {error.smtp_code}")
    except (OSError, smtplib.SMTPException) as error:
        raise DeliveryError(f"{host}: {type(error).__name__}") from None
    return Delivery(outcome="sent", detail=f"{len(refused)} addresses refused" if refused else "")


def _dingtalk(message: Post, settings: Mapping[str, Any], line: Line) -> Delivery:
    url = line.secret(settings, "url")
    if secret := line.secret(settings, "secret"):
        stamp = str(int(line.now.timestamp() * 1000))
        mark = _hmac(secret.encode(), f"{stamp}\n{secret}".encode())
        url += ("&" if "?" in url else "?") + urlencode({"timestamp": stamp, "sign": mark})
    text = _markdown(message)
    answer = line.post_json(url, {"msgtype": "markdown", "markdown": {"title": message.title[:64], "text": text}})
    return _coded(answer, "errcode", "errmsg", busy={130101, 130102, -1, 410100}, now=line.now)


def _wecom(message: Post, settings: Mapping[str, Any], line: Line) -> Delivery:
    text = cut(_without_tags(_markdown(message)), 4000)
    answer = line.post_json(line.secret(settings, "url"), {"msgtype": "markdown", "markdown": {"content": text}})
    return _coded(answer, "errcode", "errmsg", busy={45009, 45033, -1}, now=line.now)


def _feishu(message: Post, settings: Mapping[str, Any], line: Line) -> Delivery:
    content: dict[str, Any] = {"msg_type": "text", "content": {"text": _without_tags(message.text)}}
    if secret := line.secret(settings, "secret"):
        stamp = str(int(line.now.timestamp()))
        content |= {"timestamp": stamp, "sign": _hmac(f"{stamp}\n{secret}".encode(), b"")}
    return _coded(line.post_json(line.secret(settings, "url"), content), "code", "msg", busy={9499, 11232, 11233}, now=line.now)


def _slack(message: Post, settings: Mapping[str, Any], line: Line) -> Delivery:
    plain = message.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    answer = line.post_json(line.secret(settings, "url"), {"text": plain})
    delivery = by_status(answer, line.now)
    if delivery.outcome != "sent" or answer.body.strip() == b"ok":
        return delivery
    return Delivery(outcome="later", detail="the answer was not ok")


def _teams(message: Post, settings: Mapping[str, Any], line: Line) -> Delivery:
    blocks = [{"type": "TextBlock", "text": _plain(message.title), "weight": "Bolder", "wrap": True}]
    blocks += [{"type": "TextBlock", "text": _plain(text), "wrap": True} for text in message.lines]
    card = {"type": "AdaptiveCard", "version": "1.4", "body": blocks}
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    answer = line.post_json(line.secret(settings, "url"), {"type": "message", "attachments": [attachment]})
    delivery = by_status(answer, line.now)
    # The old connectors answer 200 and tell of the failure in words.
    if delivery.outcome == "sent" and b"failed" in answer.body.lower():
        return Delivery(outcome="later", detail="the answer tells of a failure")
    return delivery


def _webhook(message: Post, settings: Mapping[str, Any], line: Line) -> Delivery:
    """Standard Webhooks: id, timestamp and body are signed together."""
    secret = line.secret(settings, "secret")
    if not secret:
        raise DestinationError("a webhook is signed: name its secret")
    body = json.dumps(message.payload, ensure_ascii=False, sort_keys=True).encode("utf-8", "replace")
    stamp = str(int(line.now.timestamp()))
    mark = _hmac(_webhook_key(secret), f"{message.id}.{stamp}.".encode() + body)
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "webhook-id": message.id,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{mark}",
    }
    url = line.secret(settings, "url")
    return by_status(post(url, body, headers, allowed=line.allowed, timeout=line.timeout, find=line.find), line.now)


def _apprise(message: Post, settings: Mapping[str, Any], line: Line) -> Delivery:
    return send_by_apprise(message, line.secret(settings, "url"), line)


@dataclass(frozen=True, kw_only=True)
class Channel:
    """How one kind of receiver is reached: its settings (`?` behind a name: may be left out), and those that are secrets."""

    send: Send
    fields: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()


CHANNELS: Final[dict[str, Channel]] = {
    "in_app": Channel(send=_in_app),
    "email": Channel(
        send=_email, fields=("host", "port?", "security?", "user?", "password?", "sender", "to"), secrets=("password",)
    ),
    "dingtalk": Channel(send=_dingtalk, fields=("url", "secret?"), secrets=("url", "secret")),
    "wecom": Channel(send=_wecom, fields=("url",), secrets=("url",)),
    "feishu": Channel(send=_feishu, fields=("url", "secret?"), secrets=("url", "secret")),
    "lark": Channel(send=_feishu, fields=("url", "secret?"), secrets=("url", "secret")),
    "slack": Channel(send=_slack, fields=("url",), secrets=("url",)),
    "teams": Channel(send=_teams, fields=("url",), secrets=("url",)),
    "webhook": Channel(send=_webhook, fields=("url", "secret"), secrets=("secret",)),
    "apprise": Channel(send=_apprise, fields=("url",), secrets=("url",)),
}


def deliver(channel: str, message: Post, settings: Mapping[str, Any], line: Line) -> Delivery:
    """Send by a channel; whatever goes wrong is a verdict, never an exception. The detail carries no secret.

    Each line stays one: a break in a name from the data begins no line of its own.
    """
    message = replace(message, title=_one_line(message.title), lines=tuple(map(_one_line, message.lines)))
    try:
        return CHANNELS[channel].send(message, settings, line)
    except DestinationError as error:
        return Delivery(outcome="never", detail=str(error))
    except DeliveryError as error:
        return Delivery(outcome="later", detail=str(error))
    except KeyError as error:
        return Delivery(outcome="never", detail=f"the receiver has no {error.args[0]!r}: complete its settings")


def _coded(answer: Answer, code: str, words: str, *, busy: set[int], now: datetime) -> Delivery:
    """Answers with 200 and an error code inside: sent only where the code is 0."""
    by_code = by_status(answer, now)
    if by_code.outcome != "sent":
        return by_code
    try:
        content = json.loads(answer.body)
        found = content[code]
    except (ValueError, TypeError, KeyError):
        return Delivery(outcome="later", detail="the answer could not be read")
    if found == 0 and not isinstance(found, bool):
        return Delivery(outcome="sent")
    detail = f"{code} {found}: {str(content.get(words, ''))[:200]}"
    return Delivery(outcome="later" if found in busy else "never", detail=detail)


def _markdown(message: Post) -> str:
    """Data as text: signs that would format are escaped."""
    lines = [f"**{_plain(message.title)}**", *(f"- {_plain(text)}" for text in message.lines)]
    return cut("\n".join(lines))


def _plain(text: str) -> str:
    return "".join(f"\\{sign}" if sign in "\\`*_[]()#<>!|~" else sign for sign in text)


def _one_line(text: str) -> str:
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def _without_tags(text: str) -> str:
    """Where a tag mentions people or colours text and no escape is known: its opening bracket as the wide twin."""
    return text.replace("\\<", "<").replace("\\>", ">").replace("<", "＜")


def _hmac(key: bytes, content: bytes) -> str:
    return base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()


def _webhook_key(secret: str) -> bytes:
    if not secret.startswith("whsec_"):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:
        raise DestinationError("the secret after whsec_ is no base64: copy it again") from None
