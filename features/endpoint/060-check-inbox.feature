@endpoint
Feature: Check an inbox

  Background:
    Given a sender and a receiver, each with a mailbox

  @req-INBOX-01 @int-safe
  Scenario Outline: An inbox lists what waits, asked for in <version>
    Given answers are asked for in <version>
    And the sender has sent a message
    When the receiver checks its inbox
    Then the answer is 200 in the shape of "<shape>"
    And the inbox lists the message

    Examples:
      | version    | shape    |
      | v1         | inbox v1 |
      | v2         | inbox v2 |
      | no version | inbox v1 |

  @req-INBOX-01 @emulator-only
  Scenario Outline: An empty inbox lists nothing, asked for in <version>
    Given answers are asked for in <version>
    When the receiver checks its inbox
    Then the answer is 200 in the shape of "<shape>"
    And the page has 0 messages

    Examples:
      | version | shape    |
      | v1      | inbox v1 |
      | v2      | inbox v2 |

  @req-INBOX-02
  Scenario: An inbox lists the oldest first, and all of it
    Given the sender has sent 12 messages
    When the receiver checks its inbox
    Then the inbox lists what was sent, oldest first

  @req-INBOX-01
  Scenario: An inbox is the receiver's alone
    Given the sender has sent a message
    When the sender checks its inbox
    Then the inbox does not list the message

  @req-INBOX-01
  Scenario: Looking into an inbox takes nothing out
    Given the sender has sent a message
    When the receiver checks its inbox
    And the receiver checks its inbox
    Then the inbox lists the message

  @req-INBOX-03 @emulator-only
  Scenario: A page is as long as was asked for, and says where the next one is
    Given the sender has sent 23 messages
    When the receiver checks its inbox with "max_results=10"
    Then the answer is 200 in the shape of "inbox v2"
    And the page has 10 messages
    When the receiver follows links.next
    Then the answer is 200 in the shape of "inbox v2"
    And the page has 10 messages
    When the receiver follows links.next
    Then the page has 3 messages
    And its /links/next is "nothing"
    And the inbox lists what was sent, oldest first

  @req-INBOX-03 @emulator-only
  Scenario: A last page that is full has no next
    Given the sender has sent 10 messages
    When the receiver checks its inbox with "max_results=10"
    Then the page has 10 messages
    And its /links/next is "nothing"

  @req-INBOX-03 @emulator-only
  Scenario: A page says how many wait in all
    Given the sender has sent 12 messages
    When the receiver checks its inbox with "max_results=10"
    Then its /approx_inbox_count is "12"

  @req-INBOX-03 @emulator-only
  Scenario: Every page says where it is
    Given the sender has sent a message
    When the receiver checks its inbox with "max_results=10"
    Then its /links/self is "/messageexchange/{receiver}/inbox?max_results=10"

  @req-INBOX-04
  Scenario Outline: A page has from 10 to 5000 messages: not <max_results>
    When the receiver checks its inbox with "max_results=<max_results>"
    Then the answer is 400 for the query parameter "max_results"

    Examples:
      | max_results |
      | 9           |
      | 0           |
      | -1          |
      | 5001        |
      | many        |

  @req-INBOX-04
  Scenario Outline: A page has from 10 to 5000 messages: <max_results> may be
    Given the sender has sent a message
    When the receiver checks its inbox with "max_results=<max_results>"
    Then the inbox lists the message

    Examples:
      | max_results |
      | 10          |
      | 5000        |

  @req-INBOX-05 @emulator-only
  Scenario Outline: A page begins where the one before has ended: not at <place>
    When the receiver checks its inbox with "continue_from=<place>"
    Then the answer is 400 for the query parameter "continue_from"

    Examples:
      | place                              |
      | short                              |
      | nobody-has-ever-written-this-place |

  @req-INBOX-06 @emulator-only
  Scenario Outline: The filter <filter> chooses workflow IDs
    Given the sender has sent 2 messages with the workflow ID "ALPHA_ONE"
    And the sender has sent 3 messages with the workflow ID "ALPHA_TWO"
    And the sender has sent 4 messages with the workflow ID "BETA_ONE_X"
    When the receiver checks its inbox with "workflow_filter=<filter>"
    Then the answer is 200 in the shape of "inbox v2"
    And the page has <count> messages

    Examples:
      | filter     | count |
      | ALPHA_ONE  | 2     |
      | ALPHA*     | 5     |
      | *ONE*      | 6     |
      | !ALPHA_TWO | 6     |
      | !ALPHA*    | 4     |
      | !*ONE*     | 3     |
      | GAMMA      | 0     |

  @req-INBOX-06
  Scenario: A filter lists its workflow and no other
    Given the sender has sent 2 messages with the workflow ID "MESH_WITNESS_A"
    And the sender has sent 2 messages with the workflow ID "MESH_WITNESS_B"
    When the receiver checks its inbox with "workflow_filter=MESH_WITNESS_A"
    Then the inbox lists what was sent with the workflow ID "MESH_WITNESS_A", oldest first

  @req-INBOX-06 @emulator-only
  Scenario: A filter holds from page to page
    Given the sender has sent 12 messages with the workflow ID "ALPHA"
    And the sender has sent 12 messages with the workflow ID "BETA"
    When the receiver checks its inbox with "max_results=10&workflow_filter=ALPHA"
    And the receiver follows links.next
    Then the page has 2 messages
    And the inbox lists what was sent with the workflow ID "ALPHA", oldest first

  @req-INBOX-07 @emulator-only
  Scenario Outline: A filter has one of six forms: not <filter>
    When the receiver checks its inbox with "workflow_filter=<filter>"
    Then the answer is 400 for the query parameter "workflow_filter"

    Examples:
      | filter |
      | A      |
      | A*B    |
      | *A     |
      | AB**   |

  @req-INBOX-07 @emulator-only
  Scenario: A filter has no more than 255 characters
    When the receiver checks its inbox with "workflow_filter={256 characters}"
    Then the answer is 400 for the query parameter "workflow_filter"

  @req-INBOX-08 @int-safe
  Scenario Outline: The messages in an inbox can be counted, asked for in <version>
    Given answers are asked for in <version>
    When the receiver counts its messages
    Then the answer is 200 in the shape of "<shape>"

    Examples:
      | version | shape    |
      | v1      | count v1 |
      | v2      | count v2 |

  @req-INBOX-08 @emulator-only
  Scenario Outline: The count is what waits, asked for in <version>
    Given answers are asked for in <version>
    And the sender has sent 3 messages
    When the receiver counts its messages
    Then its /count is "3"
    Given the receiver has acknowledged the message
    When the receiver counts its messages
    Then its /count is "2"

    Examples:
      | version |
      | v1      |
      | v2      |
