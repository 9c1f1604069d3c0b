"""Questions in the six classes of TREC, made from templates and word lists: what the demo learns without a network.

They share what makes the real ones hard. Every class has questions that begin with "What is", told apart by one word;
and the test questions use all words evenly, where training prefers the first of each list and never sees the last.
"""

import random
import re
from collections.abc import Callable

from trec import CLASSES, Question, Questions

Choice = Callable[[list[str], random.Random], str]

# Shares of the real files.
TRAINING_COUNTS = {"ABBR": 47, "DESC": 639, "ENTY": 688, "HUM": 673, "LOC": 459, "NUM": 494}
TEST_COUNTS = {"ABBR": 9, "DESC": 138, "ENTY": 94, "HUM": 65, "LOC": 81, "NUM": 113}
GOLF_BALL = Question("NUM", "What is the diameter of a golf ball ?")
GOLF_BALL_INDEX = 121

TEMPLATES = {
    "ABBR": (
        "What does {acronym} stand for ?",
        "What is the full form of {acronym} ?",
        "What does the abbreviation {acronym} mean ?",
        "What is {acronym} ?",
        "What is the abbreviation of {field} ?",
    ),
    "DESC": (
        "What is {term} ?",
        "What is a {thing} ?",
        "What are {animals} ?",
        "What is the {aspect} of {term} ?",
        "What is the {aspect} of a {thing} ?",
        "What is the {aspect} of a {thing} ?",
        "What is the {aspect} of a {thing} in {country} ?",
        "How do you {act} a {thing} ?",
        "How does a {thing} work ?",
        "Why do {animals} {habit} ?",
        "What causes {term} ?",
    ),
    "ENTY": (
        "What {kind} is used for {term} ?",
        "What {kind} do {animals} like ?",
        "What is a {thing} made of ?",
        "What is the {kind} of {country} ?",
        "What is {person} 's favorite {kind} ?",
        "What is the best {kind} for {animals} ?",
        "What {kind} was invented by {person} ?",
        "Name a {kind} in {country} .",
        "Which {kind} is {country} known for ?",
        "What is {term} called in {country} ?",
    ),
    "HUM": (
        "Who {deed} the {thing} ?",
        "Who was the first {role} of {country} ?",
        "Who is {person} ?",
        "What {role} {deed} the {thing} ?",
        "What is the name of the {role} of {country} ?",
        "What is the name of {person} 's {role} ?",
        "Which {role} is {country} known for ?",
        "Name a {role} in {country} .",
        "Name the {role} who {deed} the {thing} .",
    ),
    "LOC": (
        "Where is the {place} of {country} ?",
        "Where do {animals} live ?",
        "Where was {person} born ?",
        "What is the {place} of {country} ?",
        "What is the {place} where {person} was born ?",
        "What {place} has the most {animals} ?",
        "Name a {place} in {country} .",
        "Which {place} is {country} known for ?",
        "What is {country} 's {place} ?",
    ),
    "NUM": (
        "How many {animals} are there in {country} ?",
        "How {degree} is a {thing} ?",
        "How much does a {thing} cost ?",
        "When was the {thing} invented ?",
        "When did {person} die ?",
        "What year did {person} visit {country} ?",
        "What {quantity} do {animals} reach ?",
        "What is the {quantity} of {country} ?",
        "What is the {quantity} of a {thing} ?",
        "What is {country} 's {quantity} ?",
        "What is {person} 's {quantity} ?",
    ),
}

WORDS = {
    "acronym": "NASA CPR FBI UNESCO DNA HTML AIDS RAM CNN SCUBA LASER IBM VHS RADAR BMW NATO ISO SIDS",
    "act": "clean build open paint carry repair fold measure tune polish",
    "animals": "cats horses whales bees owls wolves penguins spiders bats turtles cows salmon foxes crickets eels",
    "aspect": (
        "meaning origin value purpose definition level history range function cause rate effect importance structure "
        "nature significance"
    ),
    "country": (
        "France China Brazil Canada Egypt Spain India Mexico Kenya Norway Peru Japan Greece Chile Cuba Iceland Nepal "
        "Zambia Fiji Malta"
    ),
    "deed": "invented painted discovered designed owned lost stole built won bought sold photographed",
    "degree": "big tall heavy old long deep fast far wide",
    "field": "limited company|Doctor of Philosophy|miles per hour|chief executive|the United Nations|Texas|ounce",
    "habit": "sleep sing migrate fight swim purr dance hide snore",
    "kind": (
        "color language animal food team sport currency flower park instrument disease band car book bridge religion "
        "product metal company bird beverage mascot monument anthem gemstone dialect"
    ),
    "person": (
        "Mozart|Einstein|Cleopatra|Lincoln|Picasso|Darwin|Gandhi|Edison|Columbus|Newton|Churchill|Marie Curie|"
        "Neil Armstrong|Galileo|Florence Nightingale|William Penn"
    ),
    "place": (
        "capital|largest city|state|river|park|mountain|island|bridge|highest point|port|county|lake|monument|"
        "border|peninsula|strait"
    ),
    "quantity": (
        "population|height|weight|average age|value|temperature|length|range|price|level|speed|size|rate|area|"
        "life expectancy|depth|distance|wingspan|diameter"
    ),
    "role": (
        "president king author team actor wife leader band painter singer company inventor founder brother senator "
        "astronaut dictator composer"
    ),
    "term": (
        "photosynthesis|gravity|jazz|democracy|inflation|malaria|ozone|rap music|caffeine|poetry|acid rain|bandwidth|"
        "insulin|ballet|nicotine|autism|cholesterol|pilates|neurology|influenza|mold|platinum|Teflon|peyote|barometry"
    ),
    "thing": (
        "telephone|bicycle|piano|human heart|volcano|telescope|camera|castle|rainbow|compass|clock|submarine|guitar|"
        "bridge|diamond|golf ball|thermometer|glacier|parachute|prism|fuel cell|sundial|meteorite|accordion"
    ),
}

_POOLS = {slot: words.split("|") if "|" in words else words.split() for slot, words in WORDS.items()}


def generate(seed: int = 2014) -> Questions:
    """Returns 3,000 training and 500 test questions, the same for the same seed; no test question comes twice.

    The golf ball of the paper's Figure 1 is a test question, at the place that it has in TREC.
    """
    source = random.Random(seed)
    test = _draw(TEST_COUNTS | {"NUM": TEST_COUNTS["NUM"] - 1}, source, {GOLF_BALL}, _evenly, repeat=False)
    test.insert(GOLF_BALL_INDEX, GOLF_BALL)
    return Questions(_draw(TRAINING_COUNTS, source, set(test), _common_first, repeat=True), test, "generated")


def _draw(
    counts: dict[str, int], source: random.Random, refused: set[Question], choose: Choice, repeat: bool
) -> list[Question]:
    """Draws that many questions of each class, none of them refused, in random order."""
    questions: list[Question] = []
    for label in CLASSES:
        wanted = len(questions) + counts[label]
        while len(questions) < wanted:
            question = Question(label, _fill(label, source, choose))
            if question not in refused:
                questions.append(question)
                refused = refused if repeat else refused | {question}
    source.shuffle(questions)
    return questions


def _fill(label: str, source: random.Random, choose: Choice) -> str:
    template = source.choice(TEMPLATES[label])
    text = re.sub(r"\{(\w+)\}", lambda slot: choose(_POOLS[slot[1]], source), template)
    return re.sub(r"\ba (?=[aeiou])", "an ", text)


def _evenly(words: list[str], source: random.Random) -> str:
    return source.choice(words)


def _common_first(words: list[str], source: random.Random) -> str:
    known = len(words) * 3 // 4
    return words[int(known * source.random() ** 3)]
