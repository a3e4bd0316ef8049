"""What to measure next in one campaign, from all results so far."""

from pathlib import Path

from mlindex.apps.campaign.scores import SCORERS
from mlindex.base.atomic import atomic_directory
from mlindex.base.stage import Stage
from mlindex.campaigns.campaign import Campaign
from mlindex.reports.campaigns.page import page

with Stage(snakemake) as stage, atomic_directory(stage.output.campaign) as directory:
    campaign = Campaign.new(stage.input.space, directory)
    for path in stage.input.results:
        # Without the time, which would make another file of the same results.
        told = campaign.tell(path, said_by="workflow", timed=False, scorers=SCORERS)
        stage.log.info("%s: %d results, %d of them known", path, told.count, told.skipped)
    planned = campaign.plan(stage.params.batch)
    for reason in campaign.reasons_to_stop(planned):
        stage.log.warning("stop: %s", reason)
    stage.log.info("%d proposals", len(campaign.accept(planned)))
    (Path(directory) / "report.html").write_text(page(campaign), encoding="utf-8")
