"""mlindex: from crystal structures to models that index powder patterns."""

from snakemake.utils import min_version

min_version("9.10")


configfile: "config/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/structures.smk"
include: "workflow/rules/patterns.smk"
include: "workflow/rules/learning.smk"
include: "workflow/rules/method.smk"
include: "workflow/rules/indexing.smk"
include: "workflow/rules/classification.smk"
include: "workflow/rules/joining.smk"
include: "workflow/rules/cbed.smk"
include: "workflow/rules/campaigns.smk"
include: "workflow/rules/active.smk"
include: "workflow/rules/reports.smk"
include: "workflow/rules/apps.smk"


onstart:
    # Snakemake itself would end with a traceback.
    try:
        require_writable("results")
    except MlindexError as error:
        raise SystemExit(f"mlindex: {error}") from None
    # Snakemake holds the lock of the folder: nobody else is at work here.
    if removed := remove_leftovers("results", STARTED_S):
        what = "temporary files and folders of a run that was stopped"
        print(f"mlindex: removed {len(removed)} {what}", file=sys.stderr)


onsuccess:
    # Snakemake counts its steps to 100 %, though a stage with too few entries trains nothing.
    for line in last_lines("results", CONFIG.lattice_systems, STARTED_S):
        print(f"mlindex: {line}", file=sys.stderr)


rule all:
    default_target: True
    input:
        expand("results/models/{system}", system=CONFIG.lattice_systems),
        expand("results/validation/{system}.parquet", system=CONFIG.lattice_systems),
        "results/report.html",


check_targets()
