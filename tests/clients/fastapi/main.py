import os
from typing import Annotated

import jwt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

ISSUER = os.environ["AUTH_ISSUER"]
RULES = {"issuer": ISSUER, "audience": "latchkey", "algorithms": ["RS256"], "options": {"require": ["exp", "sub"]}}
keys = jwt.PyJWKClient(f"{ISSUER}/.well-known/jwks.json", timeout=5)
bearer = HTTPBearer(auto_error=False)


def signed_in(sent: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]) -> str:
    """The id of the user whose access token the request has."""
    token = sent.credentials if sent else ""
    try:
        if jwt.get_unverified_header(token).get("typ") != "at+jwt":
            raise jwt.InvalidTokenError("not an access token")
        return jwt.decode(token, keys.get_signing_key_from_jwt(token).key, **RULES)["sub"]
    except jwt.PyJWKClientConnectionError as error:  # says nothing about the token
        raise HTTPException(503, "unavailable") from error
    except (jwt.InvalidTokenError, jwt.PyJWKClientError) as error:
        raise HTTPException(401, "invalid_token", {"WWW-Authenticate": "Bearer"}) from error


app = FastAPI()


@app.get("/me")
def me(user_id: Annotated[str, Depends(signed_in)]) -> dict[str, str]:
    return {"id": user_id}
