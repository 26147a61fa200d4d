"""Generated passwords: made once, whole, and private."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from platformctl.parts.secrets import secret


def test_the_same_name_gives_the_same_secret_and_another_name_another(tmp_path: Path) -> None:
    assert secret(tmp_path, "nats") == secret(tmp_path, "nats")
    assert secret(tmp_path, "nats") != secret(tmp_path, "valkey")


def test_a_secret_is_long_and_safe_in_a_url(tmp_path: Path) -> None:
    word = secret(tmp_path, "nats")
    assert len(word) >= 32
    assert word.replace("-", "").replace("_", "").isalnum()


def test_starters_at_the_same_moment_agree_on_one_secret(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        words = set(pool.map(lambda _: secret(tmp_path, "nats"), range(32)))
    assert len(words) == 1
    assert [path.name for path in (tmp_path / "secrets").iterdir()] == ["nats"]
