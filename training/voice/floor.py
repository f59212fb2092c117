"""The floor: summaries of the pieces and a support vector machine, on the same splits."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from services.voice.summary import NUMBERS
from training.measures import probabilities_of
from training.voice.corpora import Voices
from training.voice.runs import Task


def floor(voices: Voices, every: Mapping[str, Task], prefix: str, seed: int) -> NDArray[np.float64]:
    """Probabilities [pieces, 4], without the speaker's other speech, by the tasks whose names begin so."""
    numbers = voices.numbers[0, :, :-1]  # less the level
    result = np.full((voices.pieces, 4), np.nan)
    for name, task in every.items():
        if name.startswith(prefix) and len(task.asked):
            machine = make_pipeline(
                StandardScaler(), SVC(C=3, gamma=0.5 / (NUMBERS - 1), class_weight="balanced", random_state=seed)
            )
            machine.fit(numbers[task.fitted_on], voices.mood[task.fitted_on])
            result[task.asked] = probabilities_of(1.5 * machine.decision_function(numbers[task.asked]))
    return result
