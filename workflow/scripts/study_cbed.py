"""What helps the model of space groups from stacks: means against imbalance, further outputs."""

import numpy as np
import pandas as pd

from mlindex.base.provenance import derive_seed
from mlindex.base.stage import Stage
from mlindex.cbed.multitask import ALONE, multitask
from mlindex.cbed.settings import Cbed
from mlindex.cbed.tables import CBED_FEATURES
from mlindex.cbed.training import parts_of
from mlindex.classification.settings import Classifiers, ClassifierStudies
from mlindex.classification.studies import imbalance
from mlindex.classification.studies.judge import Judge, Row
from mlindex.classification.studies.subject import Subject
from mlindex.classification.tables import CLASSIFIER_STUDIES
from mlindex.crystal.symmetry_classes import classes_of
from mlindex.structures.tables import CELLS

_SPLIT = {"split", "test_share", "calibration_share"}


def imbalance_rows(stage, stacks, settings, studies):
    """Rows of the strategies of source 003, by the study of the classifiers of powder patterns."""
    examples = stacks.rename(columns={"stack": "measurement"})
    split = Classifiers(**settings.model_dump(include=_SPLIT))
    how = (split, studies, stage.seed, lambda steps: stage.progress(list(steps), unit="draw"))
    for level in settings.imbalance_levels:
        subject = Subject(examples, CELLS.empty(), level, *how)
        yield from ((level, *row) for row in imbalance.study(subject))


def multitask_rows(stage, stacks, settings, studies):
    """Rows of the space group alone, with each further output, and with all."""
    part = parts_of(stacks, settings, stage.seed)
    seeds = [derive_seed(stage.seed, "repeat", number) for number in range(studies.seeds)]
    found = multitask(stacks, part, settings, seeds, lambda f: stage.progress(f, unit="fit"))
    tested = stacks[part == "test"]
    truth = tested["spacegroup_number"].to_numpy().astype(int) - 1
    crystal = np.unique(tested["entry_id"], return_inverse=True)[1]
    names, ones = classes_of("space_group").names, {"test": np.ones(len(truth))}
    judge = Judge(truth, crystal, names, ones, {}, studies.resamples, stage.seed)
    alone = judge.judged(found.groups[ALONE])
    for name, guesses in found.groups.items():
        judged = (alone, None) if name == ALONE else (judge.judged(guesses), alone)
        rows = judged[0].rows(name, int((part == "train").sum()), judged[1])
        yield from (("space_group", *row) for row in rows)
    for name, error in found.lattice.items():
        yield ("space_group", *Row(name, 0, 0, "test", "axis_error", "", error))


with Stage(snakemake) as stage:
    stacks = stage.read("features", CBED_FEATURES).sort_values(["entry_id", "stack"])
    stacks = stacks.reset_index(drop=True)
    settings = (stage.settings(Cbed), stage.settings(ClassifierStudies))
    name = stage.wildcards.study
    study = {"imbalance": imbalance_rows, "multitask": multitask_rows}[name]
    rows = [(name, *row) for row in study(stage, stacks, *settings)]
    stage.write("study", CLASSIFIER_STUDIES, pd.DataFrame(rows, columns=CLASSIFIER_STUDIES.names))
