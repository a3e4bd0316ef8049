"""Check of everything below results/; fails where there is a finding."""

from mlindex.apps.verify import verify_results
from mlindex.base.errors import MlindexError
from mlindex.base.stage import Stage

with Stage(snakemake) as stage:
    report = verify_results("results", stage.progress)
    text = report.as_text()
    print(text, end="")
    for line in text.splitlines():
        stage.log.info("%s", line)
    if report.findings:
        raise MlindexError(f"{len(report.findings)} findings in the results, listed above")
