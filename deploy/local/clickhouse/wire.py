"""The pieces of the Native format."""


def text(value: str) -> bytes:
    """A string with its length before it."""
    data = value.encode()
    return length(len(data)) + data


def length(number: int) -> bytes:
    """A number in as many bytes as it needs, seven bits each."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)
