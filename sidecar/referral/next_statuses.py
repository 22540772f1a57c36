"""Where a referral may go from here by a rep's hand."""

from collections.abc import Mapping

from sidecar.referral.journey import Milestone

_ON_THE_WAY: Mapping[Milestone, tuple[Milestone, ...]] = {
    Milestone.SUBMITTED: (Milestone.CONTACTED, Milestone.QUALIFIED, Milestone.LOST),
    Milestone.CONTACTED: (Milestone.QUALIFIED, Milestone.LOST),
    Milestone.QUALIFIED: (Milestone.LOST,),
    Milestone.LOST: (Milestone.CONTACTED,),
}


def next_milestones(
    object_type: str, milestone: Milestone | None
) -> tuple[Milestone, ...]:
    """
    List the milestones that a rep may set next, the likeliest first.

    A referral moves forward only, and a lost one may be taken up again at contacted:
    the package's validation rule ``Referral_Status_Order``. It becomes an opportunity
    by conversion, and an opportunity's milestone follows its stage: neither is set
    by hand.

    Args:
        object_type: of the record that the referral is at.
        milestone: None where the org's status has no meaning to us.
    """
    if milestone is None or object_type == "Opportunity":
        return ()
    return _ON_THE_WAY.get(milestone, ())


def statuses_for(
    milestones: tuple[Milestone, ...], statuses: Mapping[str, Milestone]
) -> dict[str, Milestone]:
    """Give the org's status values for milestones, in the milestones' order."""
    return {
        status: milestone
        for milestone in milestones
        for status, stands_for in statuses.items()
        if stands_for is milestone
    }
