"""Signatures as Amazon publishes them, and where a bucket is.

docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, "Examples: Signature Calculations".
"""

import hashlib
from datetime import UTC, datetime

import pytest

from channel_adapter.adapters.file_store import bucket_address
from channel_adapter.adapters.s3.signature import Keys, Request, signed
from channel_adapter.app.ports import FileFault, FileStoreError

AT = datetime(2013, 5, 24, tzinfo=UTC)
KEYS = Keys("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
HOST = "examplebucket.s3.amazonaws.com"
SCOPE = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request"


def authorization(request: Request, keys: Keys = KEYS) -> str:
    return signed(request, keys, "us-east-1", AT)["authorization"]


def test_getting_an_object_is_signed_as_amazon_says() -> None:
    request = Request(
        "GET", "/test.txt", {"host": HOST, "range": "bytes=0-9"}, hashlib.sha256(b"").hexdigest()
    )  # fmt: skip
    assert authorization(request) == (
        f"{SCOPE}, SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
        "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    )


def test_putting_an_object_is_signed_as_amazon_says() -> None:
    headers = {"date": "Fri, 24 May 2013 00:00:00 GMT", "host": HOST, "x-amz-storage-class": "REDUCED_REDUNDANCY"}
    request = Request("PUT", "/test%24file.text", headers, hashlib.sha256(b"Welcome to Amazon S3.").hexdigest())
    assert authorization(request) == (
        f"{SCOPE}, SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class, "
        "Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
    )


def test_the_token_of_lent_keys_is_sent_and_signed() -> None:
    request = Request("GET", "/test.txt", {"host": HOST}, hashlib.sha256(b"").hexdigest())
    headers = signed(request, Keys("ASIA", "secret", "token"), "us-east-1", AT)
    assert headers["x-amz-security-token"] == "token"
    assert "x-amz-date;x-amz-security-token, Signature" in headers["authorization"]


def test_what_keys_print_is_no_secret() -> None:
    assert repr(Keys("ASIA", "hush", "quiet")) == "Keys(key_id='ASIA')"


@pytest.mark.parametrize(
    ("name", "endpoint", "region", "address"),
    [
        ("uploads", None, "eu-west-1", "https://uploads.s3.eu-west-1.amazonaws.com"),
        ("uploads", "", "cn-north-1", "https://uploads.s3.cn-north-1.amazonaws.com.cn"),
        ("up.loads", None, "eu-west-1", "https://s3.eu-west-1.amazonaws.com/up.loads"),
        ("Uploads_1", None, "us-east-1", "https://s3.us-east-1.amazonaws.com/Uploads_1"),
        ("uploads", "http://minio:9000/", "us-east-1", "http://minio:9000/uploads"),
        ("uploads", "https://gate.example.org/s3", "us-east-1", "https://gate.example.org/s3/uploads"),
    ],
)
def test_where_a_bucket_is(name: str, endpoint: str | None, region: str, address: str) -> None:
    assert bucket_address(name, endpoint, region) == address


@pytest.mark.parametrize(
    "endpoint", ["minio:9000", "ftp://minio", "http://", "http://minio:port", "http://minio:99999"]
)
def test_what_is_no_address_is_refused(endpoint: str) -> None:
    with pytest.raises(FileStoreError) as refused:
        bucket_address("uploads", endpoint, "us-east-1")
    assert refused.value.fault is FileFault.ADDRESS
