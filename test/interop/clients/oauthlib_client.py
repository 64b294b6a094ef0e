"""A program that uses requests-oauthlib to call the API, in each of the ways of `settings`: what it was answered, on standard output."""

import html
import json
import os
import re
import sys

# Issuers of this suite are on loopback, over http; and Keycloak gives more scopes than were asked for, which is no error in OAuth.
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
os.environ["OAUTHLIB_RELAX_TOKEN_SCOPE"] = "1"

import requests
from oauthlib.oauth2 import BackendApplicationClient
from requests_oauthlib import OAuth2Session

settings = json.load(sys.stdin)
api, user = settings["api"], settings["user"]


def call(session):
    answer = session.get(api["url"], headers={"Host": api["host"]}, timeout=20)
    return {"status": answer.status_code, "body": answer.text}


def client_credentials(issuer, client):
    session = OAuth2Session(client=BackendApplicationClient(client_id=client, scope=["orders:read"]))
    scope = {} if client == settings["scopeless"] else {"scope": ["orders:read"]}
    if not scope:
        session = OAuth2Session(client=BackendApplicationClient(client_id=client))
    session.fetch_token(token_url=issuer["token"], client_id=client, client_secret=f"{client}-secret")
    return session


def code_flow(issuer, client, scope):
    session = OAuth2Session(client, redirect_uri=settings["redirectUri"], scope=scope, pkce="S256")
    url, _ = session.authorization_url(issuer["authorization"])
    session.fetch_token(issuer["token"], authorization_response=log_in(url), include_client_id=True)
    return session


def log_in(url):
    """The part of the browser: its cookies go along although they are for https only, as on every loopback address."""
    browser = requests.Session()
    page = browser.get(url, timeout=20)
    action = html.unescape(re.search(r'action="([^"]+)"', page.text).group(1))
    cookie = "; ".join(f"{one.name}={one.value}" for one in browser.cookies)
    typed = {"username": user["name"], "password": user["password"]}
    return browser.post(action, data=typed, headers={"Cookie": cookie}, allow_redirects=False, timeout=20).headers["Location"]


def refreshed(session, issuer, client):
    session.refresh_token(issuer["token"], client_id=client)
    return session


keycloak, oidc, spa = settings["keycloak"], settings["oidc"], settings["spa"]
logged_in = code_flow(keycloak, spa, ["openid", "orders:read"])
answers = {
    "no token": call(requests.Session()),
    "Keycloak, client credentials": call(client_credentials(keycloak, settings["service"])),
    "Keycloak, without the scope": call(client_credentials(keycloak, settings["scopeless"])),
    "Keycloak, code + PKCE": call(logged_in),
    "Keycloak, refreshed": call(refreshed(logged_in, keycloak, spa)),
    "Keycloak, code + PKCE without the scope": call(code_flow(keycloak, spa, ["openid"])),
    "oidc-provider, client credentials": call(client_credentials(oidc, settings["service"])),
}
print(json.dumps(answers))
