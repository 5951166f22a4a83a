@own-endpoint @emulator-only
Feature: When MESH refuses one thing
  What a product does when one call among others is refused: the others must not suffer by it.

  Background:
    Given a mailbox for the product and another for an independent counterpart
    And the product has validated its mailbox within the last 24 hours

  @req-ERROR-01 @req-LOSS-02
  Scenario: An inbox check is answered with 403
    Proves: the product does not take 403 for an empty inbox, does not call again and again, and takes the
    messages with a later poll cycle, when it is let in again.

    If it fails: a refusal is told to a person. It is no reason never to call again.

    Given the counterpart has sent 2 messages of 512 bytes to the product
    And every inbox check of the product's will be answered with 403
    When the product tries to check its inbox
    Then MESH answers with 403
    And the product copes with the refusal
    When MESH is well again
    And the product is asked for a poll cycle
    Then the product has taken everything that waited

  @req-ERROR-03 @req-LOSS-01 @req-LOSS-03
  Scenario: One of three messages is answered with 404
    Proves: a message that does not exist, though it is listed, keeps the product from none of the others.

    If it fails: go on with the next message of the list, and do not acknowledge this one.

    Given the counterpart has sent 3 messages of 512 bytes to the product
    And every download of the second message will be answered with 404
    When the product is asked for a poll cycle
    Then the product does not call again and again
    When the product is asked for a poll cycle
    Then the product has taken everything but the second message

  @req-ERROR-04 @req-LOSS-01 @req-LOSS-03
  Scenario: One of three messages is answered with 410
    Proves: a message that is gone, though it is listed, keeps the product from none of the others.

    If it fails: go on with the next message of the list, and do not acknowledge this one.

    Given the counterpart has sent 3 messages of 512 bytes to the product
    And every download of the second message will be answered with 410
    When the product is asked for a poll cycle
    Then the product does not call again and again
    When the product is asked for a poll cycle
    Then the product has taken everything but the second message

  @req-ERROR-01 @req-LOSS-01 @req-LOSS-02
  Scenario: One of three messages is answered with 403
    Proves: the product acknowledges nothing that it was refused, and takes everything with a later poll
    cycle. Whether it goes on with the others at once is its own choice: 403 is about its mailbox.

    If it fails: acknowledge after a download was answered 200, and at no other time.

    Given the counterpart has sent 3 messages of 512 bytes to the product
    And every download of the second message will be answered with 403
    When the product is asked for a poll cycle
    Then the product has acknowledged nothing that it had not downloaded whole
    And the product does not call again and again
    When MESH is well again
    And the product is asked for a poll cycle
    Then the product has taken everything that waited

  @req-ERROR-02 @req-SEND-04
  Scenario: A send is answered with 417, since the sender may not send it
    Proves: the product does not take the message for sent, and does not send it over and over.

    If it fails: 417 is refused for good. Its code, here 16, says why: a person must see to it.

    Given every send of the product's will be answered with 417
    When the product is asked to send a message of 4096 bytes to the counterpart
    Then the product does not take the failure for a success
    And the product does not call again and again
    When MESH is well again
    And the product is asked to send the message again
    Then the message is sent
    And the counterpart has the message once

  @optional-chunking @req-LARGE-03 @req-SEND-04
  Scenario: A chunk that is sent is answered with 417
    Proves: the product stops at a chunk that is not accepted, and does not take the message for sent. To
    send further chunks all the same is a warning.

    If it fails: look at the answer to each chunk. 202 alone is good.

    Given every sent chunk of the product's will be answered with 417
    When the product is asked to send a large message in chunks to the counterpart
    Then the product does not take the failure for a success
    And the product sends no further chunk
    And the product does not call again and again

  @optional-chunking @req-LARGE-03 @req-SEND-04
  Scenario: A chunk that is sent is answered with 423
    Proves: the product stops when MESH says that the message is complete already and takes no more chunks,
    and does not take it for sent. To send further chunks all the same is a warning.

    If it fails: look at the answer to each chunk. 202 alone is good.

    Given every sent chunk of the product's will be answered with 423
    When the product is asked to send a large message in chunks to the counterpart
    Then the product does not take the failure for a success
    And the product sends no further chunk
    And the product does not call again and again
