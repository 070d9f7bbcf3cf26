"""What people type: their names and notes, checked before anything is kept."""

from stages.errors import InputError

LONGEST_NAME, LONGEST_NOTE = 80, 2000  # characters


def person(name: str) -> str:
    """The name without surrounding space. Raises InputError if it is empty, too long or not printable."""
    cleaned = " ".join(name.split())
    if not cleaned or len(cleaned) > LONGEST_NAME or not cleaned.isprintable():
        raise InputError(
            "a name is missing or cannot be used." if not cleaned else f"`{cleaned[:40]!r}` cannot be used as a name.",
            allowed=f"1 to {LONGEST_NAME} printable characters",
            remedy="Say who you are: authors and reviewers stand in the format's file.",
        )
    return cleaned


def note_text(note: str) -> str:
    """The note on one line per line typed. Raises InputError if it is too long or not printable."""
    lines = [" ".join(line.split()) for line in note.strip().splitlines()]
    if len(note) > LONGEST_NOTE or not all(line.isprintable() for line in lines):
        raise InputError("the note cannot be kept.", allowed=f"at most {LONGEST_NOTE} printable characters", remedy="Shorten it.")
    return "\n".join(lines)


def whoami() -> str:
    """The user's name as git knows it, else as the system does."""
    import getpass
    import subprocess

    try:
        said = subprocess.run(["git", "config", "user.name"], capture_output=True, text=True, timeout=10, check=False)
        name = said.stdout.strip() if said.returncode == 0 else ""
    except (OSError, subprocess.TimeoutExpired):
        name = ""
    return name or getpass.getuser()
