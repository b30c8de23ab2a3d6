"""`python -m docs.build`: writes every page that is made from code."""

from docs.build.pages import ROOT, pages


def main() -> None:
    """Write them all, and name those that changed."""
    for path, text in pages().items():
        place = ROOT / path
        if not place.exists() or place.read_text(encoding="utf-8") != text:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")
            print(path)


if __name__ == "__main__":
    main()
