Feature: When MESH says no
  Cases 701 to 705 of the MESH API assurance pack: what a product does when its mailbox is disabled,
  its recipient does not exist, a message is not collected, does not exist, or was taken already.

  Background:
    Given a mailbox for the product and another for an independent counterpart
    And the product has validated its mailbox within the last 24 hours

  @own-endpoint @case-701 @req-ERROR-01
  Scenario: The mailbox is disabled
    Proves: the product copes with 403: it does not call again and again, and does not take the
    refusal for an empty inbox.

    If it fails: whatever is answered 403 must reach a person, and be tried again no sooner than
    with the next poll.

    Against a real endpoint somebody at NHS England disables the mailbox, by appointment; whoever
    runs this is asked to have it done and to confirm it.

    Given the product's mailbox has been disabled
    When the product tries to check its inbox
    Then MESH answers with 403
    And the product copes with the refusal
    And the product's mailbox is enabled again

  @own-endpoint @case-702 @req-ERROR-02 @req-UNDELIVERED-01
  Scenario: The recipient does not exist
    Proves: the product copes with 417 and its error code. Where MESH gives the message an ID all
    the same, a report on it comes to the sender's own inbox: the product takes that too.

    If it fails: 417 is the answer for a recipient that is not registered, not 403 and not 404.

    When the product sends a message of 1024 bytes to a mailbox that nobody has
    Then MESH refuses the message with 417, since its recipient is not registered
    And the product copes with the refusal
    And the product takes the report on it, where there is one

  @own-endpoint @dormant @case-703 @req-UNDELIVERED-01 @req-UNDELIVERED-02
  Scenario: Nobody collects a message
    Proves: the message is accepted, after five days a report that it was not delivered comes to
    the sender's inbox, and the product downloads and acknowledges that like any message.

    If it fails: look at the inbox for messages of the type REPORT; Mex-LinkedMsgID names the
    message that each is about.

    Against a real endpoint this takes two runs and a mailbox that nobody polls. The first sends;
    the second, five days later and with --resume and the first bundle, looks for the report.

    Given the product has sent a message of 1024 bytes to a mailbox that nobody polls
    When nobody has collected it for five days
    And the product looks for a report on it
    Then the report says that the message was not delivered
    And the report was acknowledged directly after its download

  @own-endpoint @case-704 @req-ERROR-03
  Scenario: Download a message that does not exist
    Proves: the product copes with 404: it neither calls again and again nor acknowledges.

    If it fails: the first step that did not pass says what was expected, what was seen on the
    wire, and how to mend it.

    When the product downloads a message that does not exist
    Then MESH answers with 404
    And the product copes with the refusal

  @own-endpoint @case-705 @req-ERROR-04
  Scenario: Download a message that was taken already
    Proves: the product copes with 410 for a message that it has downloaded and acknowledged.

    If it fails: what MESH answers 410 to is told differently by different sources: to a message
    that was acknowledged, or to one that has expired. The next scenario shows the other.

    Given the counterpart has sent a message of 1024 bytes to the product
    When the product receives the message
    Then the acknowledgement came directly after the download
    When the product downloads the message again
    Then MESH answers with 410
    And the product copes with the refusal

  @own-endpoint @case-705 @req-ERROR-04
  Scenario: Download a message that has expired
    Proves: the product copes with 410 for a message that it has left for five days.

    If it fails: the first step that did not pass says what was expected, what was seen on the
    wire, and how to mend it.

    Given an endpoint whose time can be moved
    And the counterpart has sent a message of 1024 bytes to the product
    When 6 days pass at the endpoint
    And the product downloads the message again
    Then MESH answers with 410
    And the product copes with the refusal
