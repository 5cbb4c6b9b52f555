"""What must be so after every night, whatever happened in it."""

from collections.abc import Callable
from typing import Final

from custom_components.smartcar_charging.models import MAX_DELETE_ATTEMPTS
from tests.nights import (
    CARS,
    GOOD,
    SENDERS,
    Act,
    House,
    Night,
    OnCar,
    Told,
    is_near,
)

# The blueprint's own promise: three more tries.
BY_USER: Final = frozenset({"user: set", "user: remove", "user: repair"})
MAX_TRIES: Final = {"cheapest": 4, "weekday": 1, "user: set": 1}


def what_is_on_a_car_is_told(house: House, night: Night) -> list[str]:
    """Each schedule on a car is told by its id, or by its window as one without id.

    One that is told without an id stands for as many as it counts.
    """
    found = []
    for car in CARS:
        told = house.told(car)
        if told is None:
            continue
        known = {own.schedule_id for own in told}
        nameless: list[Told] = []
        for own in told:
            if own.schedule_id is None:
                nameless += [own] * own.count
        for one in house.on_car(car):
            if one.schedule_id in known:
                continue
            stand_for = [own for own in nameless if _is(one, own)]
            if stand_for:
                nameless.remove(stand_for[0])
            else:
                found.append(f"{car}: {one.window} is on the car, and not told")
    return found


def what_is_told_as_set_is_on_the_car(house: House, night: Night) -> list[str]:
    """Check that what is told as on the car is there, with the window that is told.

    The owner removes nothing in the car's app.
    """
    found = []
    for car in CARS:
        there = {one.schedule_id: one for one in house.on_car(car)}
        for own in house.told(car) or ():
            if own.schedule_id is None or own.standing != "on_car":
                continue
            one = there.get(own.schedule_id)
            if one is None:
                found.append(f"{car}: {own.window} is told as set, and not on the car")
            elif not _is(one, own):
                found.append(f"{car}: {one.window} is on the car, told is {own.window}")
    return found


def a_success_is_proven(house: House, night: Night) -> list[str]:
    """Check that the last command did on the car what it is told to have done."""
    found = []
    for car in CARS:
        last = house.last_execution(car)
        if last is None or last["verdict"] != "success":
            continue
        window = f"{last['start_time']}–{last['stop_time']}"
        on_car = house.on_car(car)
        schedule_id = last["schedule_id"]
        is_there = schedule_id in {one.schedule_id for one in on_car}
        if schedule_id is None:
            is_there = window in {one.window for one in on_car}
        if is_there != (last["action"] == "create"):
            found.append(f"{car}: the success of {last['action']} {window} is wrong")
    return found


def two_windows_at_one_place_are_told_of(house: House, night: Night) -> list[str]:
    """Where two windows are at the zone, there is a repair issue or a message."""
    found = []
    for car in CARS:
        here = [
            one for one in house.on_car(car) if is_near(one.location, house.zone_at)
        ]
        windows = {one.asked for one in here}
        if len(windows) > 1 and not is_told(house, night, car):
            found.append(f"{car}: {sorted(windows)} are on the car, and nobody says so")
    return found


def a_wrong_window_is_told_of(house: House, night: Night) -> list[str]:
    """Where the wanted window is not the only one, there is an issue or a message.

    Unless the user had a hand in it, or moved the zone since.
    """
    found = []
    for act in night.acts:
        wanted = house.wanted(act.name, night.day) if act.name in SENDERS else None
        if wanted is None or act.zone_at != house.zone_at:
            continue
        by_user = [
            one for one in night.acts if one.name in BY_USER and one.car == act.car
        ]
        on_car = house.on_car(act.car)
        windows = [one.asked for one in on_car if is_near(one.location, house.zone_at)]
        if windows != [wanted] and not by_user and not is_told(house, night, act.car):
            found.append(f"{act.car}: on it is {windows} instead of {wanted}, unsaid")
    return found


def only_promised_requests_are_sent(house: House, night: Night) -> list[str]:
    """Check the README's costs: one create, then one delete of what it replaces.

    More only where the README says what is sent again. Nothing for looking, and no
    question that the user has not asked.
    """
    found = []
    for act in night.acts:
        problems = [*_creates(act), *_deletes(act), *_reads(act)]
        found += [f"{act.name} of {act.car}: {problem}" for problem in problems]
    return found


def nothing_is_sent_while_unsettled(house: House, night: Night) -> list[str]:
    """Check that no blueprint sends while it is not known what is on the car."""
    found = []
    for act in night.acts:
        if act.name not in SENDERS or not act.sent:
            continue
        unsettled = [own.window for own in _told_here(act) if own.is_unsettled]
        if act.told_before is None or unsettled:
            found.append(f"{act.name} sent something, with {unsettled} unsettled")
    return found


def nothing_is_set_again(house: House, night: Night) -> list[str]:
    """Check that no blueprint sets what is set, or may be under an unknown id."""
    found = []
    for act in night.acts:
        if act.name not in SENDERS:
            continue
        windows = [sent.subject for sent in act.sent if sent.kind == "POST"]
        is_set = {own.asked for own in _told_here(act) if own.standing == "on_car"}
        if is_set and is_set == set(windows):
            found.append(f"{act.name} set {windows}, which was set already")
        known = {own.schedule_id for own in act.told_before or ()}
        for one in act.on_car_before:
            is_unknown = one.schedule_id not in known
            if (
                is_unknown
                and is_near(one.location, act.zone_at)
                and one.asked in windows
            ):
                found.append(f"{act.name} repeated {one.asked}")
    return found


def old_schedules_are_tried_three_times(house: House, night: Night) -> list[str]:
    """Check how often the removal of a replaced schedule is tried."""
    found = []
    for schedule_id, tries in house.delete_tries.items():
        if tries > MAX_DELETE_ATTEMPTS:
            found.append(f"{schedule_id} was tried {tries} times")
    return found


def no_automation_fails(house: House, night: Night) -> list[str]:
    """Check that the log has no error, and no template that misses something."""
    return night.problems


RULES: Final[tuple[Callable[[House, Night], list[str]], ...]] = (
    what_is_on_a_car_is_told,
    what_is_told_as_set_is_on_the_car,
    a_success_is_proven,
    two_windows_at_one_place_are_told_of,
    a_wrong_window_is_told_of,
    only_promised_requests_are_sent,
    nothing_is_sent_while_unsettled,
    nothing_is_set_again,
    old_schedules_are_tried_three_times,
    no_automation_fails,
)


def is_told(house: House, night: Night, car: str) -> bool:
    """Whether the user has a message about a car, or an issue of what is on it."""
    issues = house.issues(car)
    if "unsettled_schedules" in issues or "old_schedule" in issues:
        return True
    return car in {told for told, _message in night.messages}


def broken_rules(house: House, night: Night) -> list[str]:
    """Return what is not as it must be, by rule."""
    return [
        f"{rule.__name__}: {problem}"
        for rule in RULES
        for problem in rule(house, night)
    ]


def _is(one: OnCar, own: Told) -> bool:
    """Whether a schedule on the car can be one that is told."""
    is_window = own.window in (one.window, one.asked)
    return is_window and is_near(one.location, own.location)


def _told_here(act: Act) -> list[Told]:
    """Return what was told of the zone before."""
    told = act.told_before or ()
    return [own for own in told if is_near(own.location, act.zone_at)]


def _creates(act: Act) -> list[str]:
    """Return what is wrong with the creates."""
    creates = [sent.answer for sent in act.sent if sent.kind == "POST"]
    problems = []
    tries = 0
    may_be_sent = act.name in MAX_TRIES
    for answer in creates:
        if not may_be_sent:
            problems.append("a create that nobody promised")
        tries += not answer.is_repeated
        is_tried_again = answer.may_pass and tries < MAX_TRIES.get(act.name, 0)
        may_be_sent = answer.is_repeated or is_tried_again
    return problems


def _deletes(act: Act) -> list[str]:
    """Return what is wrong with the deletes."""
    deletes = [sent for sent in act.sent if sent.kind == "DELETE"]
    first = [
        sent
        for before, sent in zip([None, *deletes], deletes, strict=False)
        if not (before and before.answer.is_repeated and before.subject == sent.subject)
    ]
    if act.name in MAX_TRIES:
        here = [own.schedule_id for own in _told_here(act)]
        good = [
            sent for sent in act.sent if sent.kind == "POST" and sent.answer is GOOD
        ]
        allowed = here if good else []
        ids = [sent.subject for sent in first]
        # While the sensor is disabled, nobody tells what there is to remove.
        is_known = act.told_before is None or set(ids) <= set(allowed)
        if len(set(ids)) < len(ids) or not is_known:
            return [f"deletes of {ids}, of {allowed} to be removed"]
        return []
    if len(first) > act.asked_for["DELETE"]:
        return [f"{len(first)} deletes"]
    return []


def _reads(act: Act) -> list[str]:
    """Return what is wrong with the questions."""
    reads = [sent.answer for sent in act.sent if sent.kind == "GET"]
    first = len(reads) - sum(answer.is_repeated for answer in reads[:-1])
    return [f"{first} questions"] * (first > act.asked_for["GET"])
