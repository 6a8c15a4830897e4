"""An authenticator app with pyotp. It reads the address of a new app from a running `local`, and its codes add the app and sign in.

python totp.py API INBOX
"""

import json
import re
import sys
import time
import urllib.parse
import urllib.request

import pyotp

api, inbox = sys.argv[1:]
identifier = f"totp+{int(time.time())}@example.com"


def post(path, token=None, **fields):
    headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
    request = urllib.request.Request(f"{api}/api/auth/{path}/", json.dumps(fields).encode(), headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def by_code():
    challenge = post("otp/request", identifier=identifier)["challenge_id"]
    with urllib.request.urlopen(f"{inbox}/api/messages?to={urllib.parse.quote(identifier)}", timeout=10) as answer:
        code = re.search(r"\b\d{6}\b", json.load(answer)[0]["text"])[0]
    return post("otp/verify", identifier=identifier, otp_code=code, challenge_id=challenge)


access = by_code()["tokens"]["access"]
new = post("factors/totp", access, name="pyotp")
phone = pyotp.parse_uri(new["otpauth_uri"])
assert isinstance(phone, pyotp.TOTP) and phone.secret == new["secret"] and phone.issuer and phone.name, new["otpauth_uri"]
assert len(post("factors/totp/confirm", access, factor_id=new["factor_id"], code=phone.now())["backup_codes"]) == 8

due = by_code()
assert due["second_factor_required"] and "tokens" not in due, due
# Each code works once, so this one is the next step's, which clocks that are a little fast have already.
code = phone.at(time.time() + 30)
assert post("second-factor/verify", challenge_id=due["challenge_id"], method="totp", code=code)["tokens"]["access"]
print("pyotp adds an app and signs in with it")
