@endpoint
Feature: Look up MESH address, Lookup by workflow

  Background:
    Given a sender and a receiver, each with a mailbox

  @req-LOOKUP-01 @int-safe
  Scenario Outline: A lookup of nobody finds nobody, asked for in <version>
    Given answers are asked for in <version>
    When the sender looks up "X26" for the workflow ID "MESH_WITNESS_NO_SUCH_WORKFLOW"
    Then the answer is 200 in the shape of "<shape>"
    And its /results/0 is "nothing"

    Examples:
      | version | shape     |
      | v1      | lookup v1 |
      | v2      | lookup v2 |

  @req-LOOKUP-01 @emulator-only
  Scenario: A lookup finds the mailbox of an organisation, in v1
    Given a workflow that only the receiver receives
    And answers are asked for in v1
    When the sender looks up "X26" for the workflow ID "{own workflow}"
    Then the answer is 200 in the shape of "lookup v1"
    And its /results/0/address is "{receiver}"
    And its /results/0/endpoint_type is "MESH"
    And its /results/1 is "nothing"

  @req-LOOKUP-01 @emulator-only
  Scenario: A lookup finds the mailbox of an organisation, in v2
    Given a workflow that only the receiver receives
    And answers are asked for in v2
    When the sender looks up "X26" for the workflow ID "{own workflow}"
    Then the answer is 200 in the shape of "lookup v2"
    And its /results/0/mailbox_id is "{receiver}"
    And its /results/1 is "nothing"

  @req-LOOKUP-01 @emulator-only
  Scenario: A lookup is of one organisation
    Given a workflow that only the receiver receives
    When the sender looks up "Y99" for the workflow ID "{own workflow}"
    Then the answer is 200 in the shape of "lookup v2"
    And its /results/0 is "nothing"

  @req-LOOKUP-01 @emulator-only
  Scenario: A lookup is of one workflow, to the letter
    Given a workflow that only the receiver receives
    When the sender looks up "X26" for the workflow ID "{own workflow in lower case}"
    Then its /results/0 is "nothing"

  @req-LOOKUP-02 @int-safe
  Scenario Outline: A search for a workflow that nobody receives finds nobody, asked for in <version>
    Given answers are asked for in <version>
    When the sender searches for the workflow ID "MESH_WITNESS_NO_SUCH_WORKFLOW"
    Then the answer is 200 in the shape of "workflow search"
    And its /results/0 is "nothing"

    Examples:
      | version |
      | v1      |
      | v2      |

  @req-LOOKUP-02 @emulator-only
  Scenario Outline: A search finds every mailbox that receives a workflow, asked for in <version>
    Given a workflow that both receive
    And answers are asked for in <version>
    When the sender searches for the workflow ID "{own workflow}"
    Then the answer is 200 in the shape of "workflow search"
    And its /results/0/mailbox_id is "{receiver}"
    And its /results/1/mailbox_id is "{sender}"

    Examples:
      | version |
      | v1      |
      | v2      |

  @req-LOOKUP-02 @emulator-only
  Scenario: A search finds nobody where nobody receives
    Given a workflow that nobody receives
    When the sender searches for the workflow ID "{own workflow}"
    Then the answer is 200 in the shape of "workflow search"
    And its /results/0 is "nothing"

  @req-LOOKUP-03 @emulator-only
  Scenario Outline: Lookups need no token: <calls>
    Sources disagree: the OpenAPI lists none, older hosts authenticate.

    Given the next token is left out
    When the sender <calls>
    Then the answer is 200

    Examples:
      | calls                                |
      | looks up "X26" for the workflow ID "A" |
      | searches for the workflow ID "A"     |
