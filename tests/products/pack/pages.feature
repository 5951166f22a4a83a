Feature: An inbox of more than one page
  As case 601, with pages of 10 messages, which these products ask for, so that it takes no time.

  Background:
    Given a mailbox for the product and another for an independent counterpart
    And the product has validated its mailbox within the last 24 hours

  @case-601 @req-POLL-02
  Scenario: Work off an inbox of 12 messages in pages of 10
    Given the counterpart has sent 12 messages of 64 bytes to the product
    When the product works its inbox off
    Then each message was downloaded once, unaltered, and acknowledged in the call that followed
