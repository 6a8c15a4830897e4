"""A backend with the client that openapi-python-client generates. It signs in against a running `local`, and reads the answer
with the models of datamodel-code-generator too.

python generated.py API INBOX
"""

import json
import pathlib
import re
import sys
import time
import urllib.parse
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).parent / "generated"))
import models
from openapi_client import AuthenticatedClient, Client
from openapi_client.api.codes import request_code, verify_code
from openapi_client.api.sessions import profile
from openapi_client.models import CodeAnswer, CodeRequest, CodeSent, InvalidOtp, InvalidToken, SignedIn, User

api, inbox = sys.argv[1:]
client = Client(base_url=api)
identifier = f"python+{int(time.time())}@example.com"

sent = request_code.sync(client=client, body=CodeRequest(identifier=identifier))
assert isinstance(sent, CodeSent), sent
with urllib.request.urlopen(f"{inbox}/api/messages?to={urllib.parse.quote(identifier)}", timeout=10) as answer:
    code = re.search(r"\b\d{6}\b", json.load(answer)[0]["text"])[0]

wrong = CodeAnswer(identifier=identifier, otp_code="000000" if code != "000000" else "000001", challenge_id=sent.challenge_id)
assert isinstance(verify_code.sync(client=client, body=wrong), InvalidOtp)
right = models.CodeAnswer.model_validate({"identifier": identifier, "otp_code": code, "challenge_id": sent.challenge_id})
right = CodeAnswer.from_dict(right.model_dump(mode="json", exclude_none=True))
signed_in = verify_code.sync(client=client, body=right)
assert isinstance(signed_in, SignedIn) and signed_in.user.email == identifier, signed_in
assert models.SignedIn.model_validate(signed_in.to_dict()).user.email.root == identifier

user = profile.sync(client=AuthenticatedClient(base_url=api, token=signed_in.tokens.access))
assert isinstance(user, User) and user.id == signed_in.user.id, user
assert isinstance(profile.sync(client=AuthenticatedClient(base_url=api, token="x.y.z")), InvalidToken)
print("the generated Python client signs in and reads the profile")
