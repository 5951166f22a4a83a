Feature: High volume
  Case 601 of the MESH API assurance pack: more messages wait than one look at the inbox lists.

  Background:
    Given a mailbox for the product and another for an independent counterpart
    And the product has validated its mailbox within the last 24 hours

  @case-601 @req-POLL-02 @req-RECEIVE-02
  Scenario: Work off an inbox of 600 messages
    Proves: the product takes the 500 messages that the first look lists, each downloaded and
    acknowledged in turn, looks again, and takes the other 100.

    If it fails: a list of exactly 500 messages is not all. Check the inbox again once they are
    acknowledged, until it lists none.

    Against a real endpoint the counterpart first sends 600 messages, which takes its time, and the
    product's mailbox should be empty before.

    Given the counterpart has sent 600 messages of 512 bytes to the product
    When the product works its inbox off
    Then it took 500 messages after the first look, and the rest after further looks
    And each message was downloaded once, unaltered, and acknowledged in the call that followed
