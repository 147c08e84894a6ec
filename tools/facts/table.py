"""Writing a table of facts: rows that the scripts do not make were added by hand, and stay."""
import csv


def write(path, head, columns, rows, key):
    """Writes `rows` to `path` below the comment lines `head`, and after them the rows that are there already and whose column
    `key` holds none of the values that it holds in `rows`."""
    at = columns.index(key)
    made = {str(row[at]) for row in rows}
    kept = []
    if path.exists():
        with open(path, newline="") as file:
            old = list(csv.reader(line for line in file if not line.startswith("#")))
        kept = [row for row in old[1:] if row[at] not in made] if old and old[0] == columns else []
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="") as file:
        file.writelines(f"# {line}\n" for line in head)
        out = csv.writer(file, lineterminator="\n")
        out.writerows([columns, *rows, *kept])
    print(f"{path.name}: {len(rows)} rows" + (f", {len(kept)} added by hand" if kept else ""))
