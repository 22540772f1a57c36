/**
 * Hands the referral events of the bus over to the sender, since a trigger may not call
 * out itself.
 */
trigger ReferralStatusChangeTrigger on Referral_Status_Change__e(after insert) {
    ReferralStatusChangeHandler.handOver(Trigger.new, EventBus.TriggerContext.currentContext());
}
