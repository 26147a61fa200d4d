"""Commands are found in a page as they are written."""

from support.cluster.pages import blocks


def test_a_block_is_found_with_its_kind_and_its_heading() -> None:
    page = "# A\n\n```sh\nls\n```\n\n## B\n\n```sh background\nsleep 9\n```\n\n```yaml\nx: 1\n```\n"
    assert [(block.kind, block.text, block.under) for block in blocks(page)] == [
        ("", "ls\n", "A"), ("background", "sleep 9\n", "B"),
    ]  # fmt: skip
