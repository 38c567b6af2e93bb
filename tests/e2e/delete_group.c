/* e2e_delete_group SERVERS GROUP: what an operator's kafka-consumer-groups --delete does. The group
 * must be empty; a member that was killed may take its session's time-out to go, so it is tried for
 * 30 s. */
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <unistd.h>

enum { TRIES = 60, PAUSE_US = 500000, ANSWER_MS = 10000 };

static rd_kafka_resp_err_t delete_group(rd_kafka_t *rk, const char *group)
{
    rd_kafka_DeleteGroup_t *wish = rd_kafka_DeleteGroup_new(group);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_DeleteGroups(rk, &wish, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, ANSWER_MS);
    rd_kafka_resp_err_t code = event ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR__TIMED_OUT;
    if (!code) {
        size_t count = 0;
        const rd_kafka_group_result_t **results =
            rd_kafka_DeleteGroups_result_groups(rd_kafka_event_DeleteGroups_result(event), &count);
        const rd_kafka_error_t *failure = count ? rd_kafka_group_result_error(results[0]) : NULL;
        if (failure) code = rd_kafka_error_code(failure);
    }
    if (event) rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_DeleteGroup_destroy(wish);
    return code;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: e2e_delete_group SERVERS GROUP\n");
        return 64;
    }
    char text[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (rd_kafka_conf_set(conf, "bootstrap.servers", argv[1], text, sizeof text) !=
        RD_KAFKA_CONF_OK) {
        fprintf(stderr, "%s\n", text);
        return 64;
    }
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    if (!rk) {
        fprintf(stderr, "%s\n", text);
        return 70;
    }
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR__TIMED_OUT;
    for (int i = 0; i < TRIES; i++) {
        code = delete_group(rk, argv[2]);
        if (code != RD_KAFKA_RESP_ERR_NON_EMPTY_GROUP && code != RD_KAFKA_RESP_ERR_NOT_COORDINATOR)
            break;
        usleep(PAUSE_US);
    }
    rd_kafka_destroy(rk);
    if (code) fprintf(stderr, "group %s: %s\n", argv[2], rd_kafka_err2str(code));
    return code ? 70 : 0;
}
