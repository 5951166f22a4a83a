@own-endpoint @emulator-only
Feature: What an inbox may hold
  Messages in chunks of any size, reports among messages, and more messages than a page has.

  Background:
    Given a mailbox for the product and another for an independent counterpart
    And the product has validated its mailbox within the last 24 hours

  @optional-chunking @req-LARGE-01
  Scenario: Chunks of very different sizes
    Proves: the product makes the whole of chunks as they come, one of a single byte among them.

    If it fails: append what came. A chunk has no size but its own.

    Given the counterpart has sent a message in chunks of very different sizes to the product
    When the product is asked for a poll cycle
    Then the product has the message whole, chunk by chunk

  @many @req-POLL-02 @req-LOSS-02
  Scenario: 501 messages wait
    Proves: the product takes the one message that is not on the first page as well, in one poll cycle: by
    listing again after a full page, or by following links.next.

    If it fails: a list of exactly 500 messages is not all.

    Given the counterpart has sent 501 messages of 64 bytes to the product
    When the product is asked for a poll cycle
    Then the product has taken everything that waited

  @req-UNDELIVERED-01 @req-LOSS-02
  Scenario: A report among messages
    Proves: the product downloads and acknowledges a report, which has no content, and takes the messages
    before and after it.

    If it fails: a report is listed among messages and is no reason to end. Download it, acknowledge it, and go
    on with the next. Whether the product tells it from a message, by Mex-MessageType, nothing here can see.

    Given the counterpart has sent 2 messages of 512 bytes to the product
    And a report on an earlier message waits in the product's inbox
    And the counterpart has sent 1 messages of 512 bytes to the product
    When the product is asked for a poll cycle
    Then the product has taken everything that waited
