"""Binding: what one shot leaves open, the others decide, and what a person says stands."""

from collections.abc import Mapping, Sequence

import pytest

from models.active_speaker import Senses
from tasks.bind import Choice, Scene, settle
from tasks.onscreen import Meeting

ANNA, BERT, CARL = 1, 2, 3  # persons
A, B, C = 11, 12, 13  # voices
SEEN = Senses(0.0)


def met(face: int, voice: int, odds: float, start: int = 0, end: int = 75) -> Meeting:
    return Meeting(face, voice, [(start, end)], SEEN, odds)


def alone(person: int, voice: int, odds: float) -> Scene:
    return Scene([person], [met(0, voice, odds)])


def bound(scenes: Sequence[Scene], said: Mapping[int, int | None] | None = None) -> list[list[Choice]]:
    return settle(scenes, said or {})


DIALOGUE = [alone(ANNA, A, 3), alone(BERT, B, 3), alone(ANNA, A, 3), alone(BERT, B, 3)]


@pytest.mark.parametrize(
    ("scene", "voices"),
    [
        pytest.param(alone(ANNA, A, 3), [A], id="the-only-one"),
        pytest.param(alone(ANNA, A, -3), [None], id="a-voice-from-off-screen"),
        pytest.param(Scene([ANNA], []), [None], id="nobody-is-heard"),
        pytest.param(Scene([ANNA, BERT], [met(0, A, -2), met(1, A, 3)]), [None, A], id="one-speaks-one-listens"),
        pytest.param(
            Scene(
                [ANNA, BERT], [met(0, A, -2, 40, 70), met(0, B, 3, 5, 30), met(1, A, 3, 40, 70), met(1, B, -2, 5, 30)]
            ),
            [B, A],
            id="a-dialogue",
        ),
        pytest.param(
            Scene([ANNA, BERT], [met(0, A, 3, 5, 30), met(1, A, 3, 45, 70)]), [A, A], id="turns-away-and-back"
        ),
        pytest.param(Scene([ANNA], [met(0, A, 3, 5, 45), met(0, B, 0, 50, 54)]), [A], id="a-short-word-by-another"),
    ],
)
def test_a_shot_alone_is_decided_by_its_lips(scene: Scene, voices: list[int | None]) -> None:
    ((*found,),) = bound([scene])
    assert [one.voice for one in found] == voices
    assert all((one.confidence > 0.6) == (one.voice is not None) and one.reason for one in found)


def test_two_who_move_alike_are_not_certain() -> None:
    ((*found,),) = bound([Scene([ANNA, BERT], [met(0, A, 3), met(1, A, 3)])])
    assert sorted(one.confidence for one in found) == [0.0, 0.5]
    assert [one.reason.split(" (")[0] for one in found if one.voice is None] == [
        "another face speaks, and this one listens"
    ]


def test_a_face_that_turns_away_keeps_the_voice_of_its_other_shots() -> None:
    *_, (turned,) = bound([*DIALOGUE, alone(ANNA, A, -2)])
    assert turned.voice == A and turned.confidence > 0.6
    ((stranger,),) = bound([alone(ANNA, A, -2)])
    assert stranger.voice is None


def test_a_listener_whose_lips_move_is_not_given_a_voice_that_is_anothers() -> None:
    """As somebody who chews, laughs, or speaks along without a sound."""
    *_, (listens,) = bound([*DIALOGUE, *DIALOGUE, *DIALOGUE, alone(BERT, A, 2)])
    assert listens.voice != A
    ((stranger,),) = bound([alone(BERT, A, 2)])
    assert stranger.voice == A


def test_who_is_silent_in_a_shot_keeps_the_voice_that_is_theirs_for_the_dub_may_be_longer() -> None:
    *_, (silent,) = bound([*DIALOGUE, Scene([ANNA], [])])
    assert silent.voice == A and "in other shots" in silent.reason


def test_where_nothing_can_be_measured_only_a_known_voice_is_somebodys() -> None:
    unseen = Scene([ANNA], [Meeting(0, A, [(0, 75)], Senses(), 0.0)])
    *_, (known,) = bound([*DIALOGUE, unseen])
    ((stranger,),) = bound([unseen])
    assert known.voice == A and stranger.voice is None


def test_of_two_who_are_seen_the_one_whose_voice_it_is_speaks() -> None:
    *_, (first, second) = bound([*DIALOGUE, Scene([ANNA, BERT], [met(0, B, 0.5), met(1, B, 0.0)])])
    assert (first.voice, second.voice) == (A, B) and second.confidence > 0.8


def test_one_persons_voice_heard_as_two_stays_with_that_person() -> None:
    *_, (found,) = bound([*DIALOGUE, alone(ANNA, C, 3)])
    assert found.voice == C


def test_a_word_about_one_person_corrects_every_shot() -> None:
    """Every shot of the wrong twin seems sure; one word turns them all."""
    scenes = [Scene([ANNA, CARL], [met(0, A, 3), met(1, A, -3)]) for _ in range(3)]
    assert [[one.voice for one in found] for found in bound(scenes)] == [[A, None]] * 3
    told = bound(scenes, {CARL: A, ANNA: None})
    assert [[one.voice for one in found] for found in told] == [[None, A]] * 3
    assert all(found[1].confidence == 1.0 and "said so" in found[1].reason for found in told)
    by_one_word = bound(scenes, {CARL: A})
    assert [[one.voice for one in found] for found in by_one_word] == [[None, A]] * 3


def test_what_a_shot_says_is_no_evidence_for_itself() -> None:
    """One weak shot, seen a thousand times over, would talk itself into certainty."""
    ((weak,),) = bound([alone(ANNA, A, -1.0)])
    assert weak.confidence < 0.65
