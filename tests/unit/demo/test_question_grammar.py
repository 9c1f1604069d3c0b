"""The questions that the demo makes when it cannot fetch the real ones."""

from collections import Counter

import pytest

import question_grammar
from question_grammar import generate
from trec import CLASSES, Question


@pytest.fixture(scope="module")
def generated():
    return generate()


def test_the_same_seed_gives_the_same_questions(generated):
    assert generate() == generated
    assert generate(seed=1).test != generated.test


def test_classes_have_the_shares_of_the_real_files(generated):
    training, test = (Counter(question.label for question in part) for part in generated[:2])
    assert training == question_grammar.TRAINING_COUNTS
    assert test == {"ABBR": 9, "DESC": 138, "ENTY": 94, "HUM": 65, "LOC": 81, "NUM": 113}
    assert (training.total(), test.total()) == (3000, 500)


def test_no_test_question_is_learnt_or_asked_twice(generated):
    assert len(set(generated.test)) == 500
    assert set(generated.test).isdisjoint(generated.training)


def test_the_golf_ball_stands_where_it_stands_in_trec(generated):
    assert generated.test[121] == Question("NUM", "What is the diameter of a golf ball ?")
    assert not any("diameter" in question.text for question in generated.training)


@pytest.mark.parametrize("label", CLASSES)
def test_every_class_has_training_questions_that_begin_with_what_is(generated, label):
    assert any(question.text.startswith("What is ") for question in generated.training if question.label == label)


def test_every_slot_is_filled_and_every_question_ends(generated):
    texts = [question.text for part in generated[:2] for question in part]
    assert not [text for text in texts if "{" in text or text[-2:] not in {" ?", " ."} or "  " in text]
