@endpoint
Feature: Acknowledge message

  Background:
    Given a sender and a receiver, each with a mailbox

  @req-ACKNOWLEDGE-01 @int-safe
  Scenario: An acknowledgement in v1 names the message
    Given answers are asked for in v1
    And the sender has sent a message
    When the receiver acknowledges the message
    Then the answer is 200 in the shape of "acknowledgement v1"
    And its /messageId is "{message}"

  @req-ACKNOWLEDGE-01 @int-safe
  Scenario: An acknowledgement in v2 is accepted
    Given answers are asked for in v2
    And the sender has sent a message
    When the receiver acknowledges the message
    Then the answer is 200

  @req-ACKNOWLEDGE-01 @emulator-only
  Scenario: An acknowledgement in v2 says nothing
    Sources disagree: an example of "Track outbox" has a body.

    Given answers are asked for in v2
    And the sender has sent a message
    When the receiver acknowledges the message
    Then the answer is 200 without a body

  @req-ACKNOWLEDGE-02 @int-safe
  Scenario: An acknowledged message leaves the inbox, and no other does
    Given the sender has sent 2 messages
    When the receiver acknowledges the message
    And the receiver checks its inbox
    Then the inbox lists what was sent, oldest first

  @req-ACKNOWLEDGE-02
  Scenario: A message may be acknowledged without having been downloaded
    Given the sender has sent a message
    When the receiver acknowledges the message
    And the receiver checks its inbox
    Then the inbox does not list the message

  @req-ACKNOWLEDGE-03 @emulator-only
  Scenario: An acknowledgement may be repeated
    Given the sender has sent a message
    And the receiver has acknowledged the message
    When the receiver acknowledges the message
    Then the answer is 200

  @req-ACKNOWLEDGE-04 @emulator-only
  Scenario: What nobody sent cannot be acknowledged
    The OpenAPI lists 400 and 403; mesh-sandbox answers 404.

    Given the message is "20200101000000000000_000000"
    When the receiver acknowledges the message
    Then the answer is 404

  @req-ACKNOWLEDGE-04 @emulator-only
  Scenario: What lies in another inbox cannot be acknowledged
    Given the sender has sent a message
    When the sender acknowledges the message
    Then the answer is 404
    When the receiver checks its inbox
    Then the inbox lists the message
