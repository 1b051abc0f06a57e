"""What the scripts that score with somebody else's filter share: which messages, and what to say of their scores."""
import csv


def rows_of(directory, count):
    """All rows of the index, or about `count` of them, taken evenly."""
    rows = list(csv.DictReader(open(directory / "index.csv")))
    return rows[::max(1, len(rows) // count)] if count else rows


def say(rows, scores, seconds, threshold):
    attacks = [s for s, row in zip(scores, rows) if row["label"] != "ham"]
    honest = sorted((s for s, row in zip(scores, rows) if row["label"] == "ham"), reverse=True)
    print(f"{len(rows)} messages, {len(rows) / seconds:.0f}/s")
    print(f"at {threshold}: recall {sum(s >= threshold for s in attacks) / max(len(attacks), 1):.4f}, "
          f"false {sum(s >= threshold for s in honest)}/{len(honest)}")
    for share in (0.001, 0.005):
        point = honest[int(share * len(honest))] if honest else threshold
        print(f"at {share:.1%} false: recall {sum(s > point for s in attacks) / max(len(attacks), 1):.4f}")
    for name in sorted({row["class"] for row in rows if row["label"] != "ham"}):
        these = [s for s, row in zip(scores, rows) if row["class"] == name and row["label"] != "ham"]
        print(f"  {name}: {sum(s >= threshold for s in these)}/{len(these)}")
