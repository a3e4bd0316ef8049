"""What to measure next in one campaign, from all results so far."""

from importlib import import_module
from pathlib import Path

from mlindex.base.atomic import atomic_directory
from mlindex.base.stage import Stage
from mlindex.campaigns.campaign import Campaign
from mlindex.campaigns.scoring import NONE
from mlindex.reports.campaigns.page import page

with Stage(snakemake) as stage, atomic_directory(stage.output.campaign) as directory:
    campaign = Campaign.new(stage.input.space, directory)
    scorers = NONE
    if stage.params.scores:
        # By name: other campaigns don't depend on the code of indexing.
        scorers = import_module("mlindex.apps.campaign.scores").SCORERS
    for path in stage.input.results:
        # Without the time, which would make another file of the same results.
        told = campaign.tell(path, said_by="workflow", timed=False, scorers=scorers)
        stage.log.info("%s: %d results, %d of them known", path, told.count, told.skipped)
    planned = campaign.plan(stage.params.batch)
    for reason in campaign.reasons_to_stop(planned):
        stage.log.warning("stop: %s", reason)
    stage.log.info("%d proposals", len(campaign.accept(planned)))
    (Path(directory) / "report.html").write_text(page(campaign), encoding="utf-8")
